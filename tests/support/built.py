"""The built functions and layers, made by the same build as `trading up` and kept between runs."""

from pathlib import Path

from trading_cli.deploy import build
from trading_cli.project import find_project

ROOT = Path(__file__).parents[2]
LAMBDA_SIZE_LIMIT = 262_144_000


def built() -> Path:
    """Build what has changed, and return the folder with one folder per function and layer."""
    project = find_project(ROOT)
    build(project)
    return project.local / "build"


def size(folder: Path) -> int:
    """Return the bytes of all files under a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
