"""What a Docker engine offers to a test: whether it answers, an image, a way back to this host."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_network
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from urllib.parse import urlsplit

PULL_SECONDS = 300


def docker(*arguments: str, seconds: float = 30) -> subprocess.CompletedProcess[str]:
    """Run the docker client and give back what it said; a hanging engine counts as a refusal."""
    command = ["docker", *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"no answer in {seconds:g} s")


def why_unusable(image: str) -> str | None:
    """Say why `image` cannot be run here, or None where it can (it is pulled when missing)."""
    if shutil.which("docker") is None:
        return "there is no docker client on the PATH"
    # The client exits with 0 even where no engine answers, but then it knows no server version.
    info = docker("info", "--format", "{{.ServerVersion}}")
    if info.returncode != 0 or not info.stdout.strip():
        return f"no Docker engine answers: {last_line(info.stderr)}"
    if docker("image", "inspect", image).returncode == 0:
        return None
    pulled = docker("pull", "--quiet", image, seconds=PULL_SECONDS)
    if pulled.returncode != 0:
        return f"the image {image} is neither here nor to be pulled: {last_line(pulled.stderr)}"
    return None


@contextmanager
def reachable_from_containers(endpoint: str) -> Iterator[str]:
    """Give an address under which containers reach `endpoint`, which may listen on 127.0.0.1.

    On Linux a container's only way to its host is the bridge's address, where a server bound to
    127.0.0.1 does not listen: a relay does, for as long as the context lasts. Docker Desktop's
    bridge lies in a virtual machine, so no relay can be bound there; it forwards
    `host.docker.internal` to the host's own 127.0.0.1 instead.
    """
    target = urlsplit(endpoint)
    address = (target.hostname or "127.0.0.1", target.port or 80)
    gateway = bridge_address()
    try:
        relay = Relay(gateway, address)
    except OSError:
        yield f"{target.scheme}://host.docker.internal:{address[1]}"
        return
    with relay:
        Thread(target=relay.serve_forever, daemon=True).start()
        yield f"{target.scheme}://{gateway}:{relay.server_address[1]}"
        relay.shutdown()


def bridge_address() -> str:
    """Give the host's address on the network that containers join unless told otherwise."""
    answer = docker("network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}").stdout
    network: dict[str, str] = json.loads(answer)[0]
    # Some engines leave the gateway out where it is the default: the network's first address.
    return network.get("Gateway") or str(next(ip_network(network["Subnet"]).hosts()))


class Relay(ThreadingTCPServer):
    """A TCP server on a free port of `host` that passes every connection on to `target`.

    Raises OSError where `host` is no address of this machine.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, target: tuple[str, int]) -> None:
        self.target = target
        super().__init__((host, 0), Passage)


class Passage(BaseRequestHandler):
    """One relayed connection: bytes go both ways until both sides have finished."""

    request: socket.socket
    server: Relay

    def handle(self) -> None:
        """Copy the caller's bytes to the target, and the target's to the caller."""
        with socket.create_connection(self.server.target) as far:
            answers = Thread(target=copy, args=(far, self.request), daemon=True)
            answers.start()
            copy(self.request, far)
            answers.join()


def copy(source: socket.socket, sink: socket.socket) -> None:
    """Send on what `source` receives until it ends, then end `sink` too."""
    # Either side may hang up at any time, which is the end of the passage and no fault.
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def last_line(text: str) -> str:
    """Give the last line of an error message: where docker says what went wrong."""
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it gave no reason"
