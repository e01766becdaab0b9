"""A real Prometheus scrapes the deployed stack with the configuration of docs/monitoring."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.stack.trading_floor import open_floor
from tests.support.aws import ROOT
from tests.support.local_stack import LocalStack

MONITORING = ROOT / "docs" / "monitoring"
PATIENCE = 120.0

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="needs prometheus (apt-get install prometheus)"
)


@contextmanager
def gateway(api_url: str, header: dict[str, str]) -> Iterator[str]:
    """An address at which the stack answers as API Gateway's own does.

    Under ``/STAGE``, and with the key sent along: Prometheus before 2.55 has no headers of its own.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.removeprefix("/STAGE")
            answer = httpx.get(api_url + path, headers=header, timeout=60, trust_env=False)
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers["content-type"])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def configured(folder: Path, address: str) -> Path:
    """The committed configuration, for this address and in a hurry."""
    document = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    document["global"]["scrape_interval"] = "5s"
    document["global"]["scrape_timeout"] = "5s"
    document["rule_files"] = [str(MONITORING / "alerts.yml")]
    (job,) = document["scrape_configs"]
    assert list(job.pop("http_headers")) == ["X-TRADING-API-KEY"]
    job["scheme"] = "http"
    for target in job["static_configs"]:
        target["targets"] = [address]
    path = folder / "prometheus.yml"
    path.write_text(json.dumps(document))  # which is YAML too
    return path


@contextmanager
def prometheus(config: Path) -> Iterator[httpx.Client]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    line = ["prometheus", f"--config.file={config}", f"--web.listen-address={address}"]
    line.append(f"--storage.tsdb.path={config.parent / 'data'}")
    with (config.parent / "log").open("w") as log:
        process = subprocess.Popen(line, stdout=log, stderr=log)
        try:
            with httpx.Client(base_url=f"http://{address}", trust_env=False) as client:
                yield client
        finally:
            process.terminate()
            process.wait()


def seen(client: httpx.Client, path: str) -> Any:
    try:
        return client.get(path).json()["data"]
    except httpx.HTTPError:
        return {}


def test_every_target_is_up_and_every_rule_is_loaded(stack: LocalStack, tmp_path: Path) -> None:
    key = stack.key(["metrics:read"])
    with stack.api() as api:
        open_floor(api, "scraped", "SCRAPED", {})
    with (
        gateway(stack.api_url, {"X-TRADING-API-KEY": key}) as address,
        prometheus(configured(tmp_path, address)) as client,
    ):
        deadline = time.monotonic() + PATIENCE
        health: dict[str, str] = {}
        while time.monotonic() < deadline:
            targets = seen(client, "/api/v1/targets").get("activeTargets", [])
            health = {t["labels"]["service"]: t["health"] for t in targets}
            if len(health) == 8 and set(health.values()) == {"up"}:
                break
            time.sleep(1)
        assert len(health) == 8, health
        assert set(health.values()) == {"up"}, health
        groups = seen(client, "/api/v1/rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        written = yaml.safe_load((MONITORING / "alerts.yml").read_text())
        assert {r["name"] for r in rules} == {r["alert"] for r in written["groups"][0]["rules"]}
        query = "/api/v1/query?query=trading_active{portfolio='scraped'}"
        (result,) = seen(client, query)["result"]
        assert result["value"][1] == "1"
