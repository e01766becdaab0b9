"""What `sam build` makes: layers that load on Lambda, functions that stand alone."""

import hashlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from tests.support.aws import RESOURCES, ROOT
from tests.support.built import LAMBDA_SIZE_LIMIT, size

LAMBDA_GLIBC = (2, 26)  # Amazon Linux 2, which carries Lambda's python3.11
FUNCTIONS = [n for n, r in RESOURCES.items() if r["Type"] == "AWS::Serverless::Function"]
LAYERS = [n for n, r in RESOURCES.items() if r["Type"] == "AWS::Serverless::LayerVersion"]

on_lambdas_platform = pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="on this machine layers are built from its own wheels, not from Lambda's",
)


def newest_glibc(library: Path) -> tuple[int, ...]:
    """The newest GLIBC symbol version that a shared object needs; (0,) if it needs none."""
    with library.open("rb") as stream:
        needed = [
            auxiliary.name
            for section in ELFFile(stream).iter_sections()
            if isinstance(section, GNUVerNeedSection)
            for _, auxiliaries in section.iter_versions()
            for auxiliary in auxiliaries
        ]
    versions = [name.removeprefix("GLIBC_") for name in needed if name.startswith("GLIBC_")]
    numbers = [tuple(map(int, v.split("."))) for v in versions if v[0].isdigit()]
    return max(numbers, default=(0,))


def shared_objects(layer: Path) -> list[Path]:
    """Every file of a built layer that the dynamic linker may load."""
    files = (path for path in layer.rglob("*") if path.is_file())
    return [path for path in files if path.read_bytes().startswith(b"\x7fELF")]


def content(folder: Path) -> str:
    """One hash over the names and bytes of all files in a folder."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(f"{path.relative_to(folder)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def build_functions(functions: Path, artifacts: Path) -> dict[str, str]:
    """Build every function from a folder as SAM does; returns the hash of each artifact."""
    for name in FUNCTIONS:
        subprocess.run(
            ["make", "--silent", f"build-{name}"],
            cwd=functions, env=os.environ | {"ARTIFACTS_DIR": str(artifacts / name)}, check=True,
        )  # fmt: skip
    return {name: content(artifacts / name) for name in FUNCTIONS}


@on_lambdas_platform
@pytest.mark.parametrize("layer", LAYERS)
def test_every_shared_object_loads_with_lambdas_glibc(layer: str, built: Path) -> None:
    too_new = [
        path.name for path in shared_objects(built / layer) if newest_glibc(path) > LAMBDA_GLIBC
    ]
    assert too_new == []


@on_lambdas_platform
def test_the_glibc_check_reads_versions_from_real_libraries(built: Path) -> None:
    assert max(newest_glibc(path) for path in shared_objects(built / "NumericLayer")) >= (2, 14)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_with_its_layers_fits_into_lambda(function: str, built: Path) -> None:
    layers = [layer["Ref"] for layer in RESOURCES[function]["Properties"]["Layers"]]
    total = sum(size(built / name) for name in (function, *layers))
    assert 0 < total <= LAMBDA_SIZE_LIMIT


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_artifact_holds_its_services_folder_and_nothing_else(function: str, built: Path) -> None:
    service = RESOURCES[function]["Properties"]["Handler"].split(".")[0]
    assert [path.name for path in (built / function).iterdir()] == [service]
    assert not list((built / function).rglob("*.pyc"))


def test_strategies_are_found_by_entry_point_in_the_built_layer(built: Path) -> None:
    (distribution,) = importlib.metadata.distributions(
        name="trading", path=[str(built / "SharedLayer" / "python")]
    )
    found = distribution.entry_points.select(group="trading.strategies")
    assert set(found.names) >= {"ma_cross", "rsi_reversion"}


def test_the_built_venues_layer_makes_each_kept_exchange(built: Path) -> None:
    code = "import ccxt; print([getattr(ccxt, name)().id for name in ccxt.exchanges])"
    environment = os.environ | {"PYTHONPATH": str(built / "VenuesLayer" / "python")}
    run = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout.strip() == "['binance', 'bitstamp', 'coinbase', 'kraken', 'okx']"


def test_layers_ship_bytecode_that_does_not_depend_on_file_times(built: Path) -> None:
    compiled = next((built / "SharedLayer" / "python" / "trading").rglob("money.*.pyc"))
    flags = int.from_bytes(compiled.read_bytes()[4:8], "little")
    assert flags == 0b01  # hash-based, not checked at import (PEP 552)


def test_a_change_in_one_service_changes_only_that_services_artifacts(tmp_path: Path) -> None:
    functions = shutil.copytree(ROOT / "functions", tmp_path / "functions")
    before = build_functions(functions, tmp_path / "before")
    assert build_functions(functions, tmp_path / "again") == before
    handler = functions / "risk" / "handler.py"
    handler.write_text(handler.read_text() + "# changed\n")
    after = build_functions(functions, tmp_path / "after")
    changed = {name for name in FUNCTIONS if before[name] != after[name]}
    assert changed == {name for name in FUNCTIONS if name.startswith("Risk")}
    assert changed


def test_two_builds_of_the_shared_layer_are_the_same_to_the_byte(tmp_path: Path) -> None:
    hashes = []
    for attempt in ("first", "second"):
        source = shutil.copytree(
            ROOT / "layers", tmp_path / attempt, ignore=shutil.ignore_patterns(".*", "__pycache__")
        )
        settings = {"ARTIFACTS_DIR": str(tmp_path / attempt / "built"), "PYTHON": sys.executable}
        subprocess.run(
            ["make", "--silent", "build-SharedLayer"],
            cwd=source / "shared", env=os.environ | settings, check=True, capture_output=True,
        )  # fmt: skip
        hashes.append(content(tmp_path / attempt / "built"))
    assert hashes[0] == hashes[1]
