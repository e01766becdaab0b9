"""Cut ccxt down to the exchanges that are used: `prune.py <folder of the ccxt package>`.

The whole package is a hundred exchanges, each synchronous, asynchronous and as a stream. What is
left imports as before (`import ccxt; ccxt.kraken()`), only smaller and faster.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

EXCHANGES = ("binance", "bitstamp", "coinbase", "kraken", "okx")
KEPT_FOLDERS = ("abstract", "base", "static_dependencies")
# Only exchanges that sign on a blockchain of their own need these, and they import them lazily.
UNUSED_DEPENDENCIES = ("dydx_v4_client", "lighter_client", "starknet", "starkware")


def prune(package: Path) -> None:
    """Delete other exchanges' modules, the unused folders, and their lines in `__init__.py`.

    Raises SystemExit when an exchange to keep is not in the package: ccxt has changed, and
    what it ships must be looked at again.
    """
    missing = [name for name in EXCHANGES if not (package / f"{name}.py").is_file()]
    if missing:
        raise SystemExit(f"ccxt has no {', '.join(missing)}")
    for folder in (path for path in package.iterdir() if path.is_dir()):
        if folder.name not in KEPT_FOLDERS:
            shutil.rmtree(folder)
    for name in UNUSED_DEPENDENCIES:
        shutil.rmtree(package / "static_dependencies" / name, ignore_errors=True)
    for module in [*package.glob("*.py"), *(package / "abstract").glob("*.py")]:
        if module.stem not in (*EXCHANGES, "__init__"):
            module.unlink()
    init = package / "__init__.py"
    init.write_text(without_other_exchanges(init.read_text("utf-8")), "utf-8")


def without_other_exchanges(source: str) -> str:
    """Return the source of `__init__.py` without the lines that name exchanges not kept."""
    imported = set(re.findall(r"^from ccxt\.(\w+) +import \1\b", source, re.MULTILINE))
    dropped = "|".join(sorted(imported - set(EXCHANGES)))
    return re.sub(
        rf"^(from ccxt\.({dropped}) +import .*|    '({dropped})',.*)\n",
        "",
        source,
        flags=re.MULTILINE,
    )


if __name__ == "__main__":
    prune(Path(sys.argv[1]))
