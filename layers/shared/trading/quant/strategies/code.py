"""Names a strategy by its code, so that what was found out about it holds for that code only."""

from __future__ import annotations

import hashlib
import inspect
import sys
from functools import cache
from pathlib import Path

from trading.quant.strategies.strategy import Strategy


@cache
def code_of(kind: type[Strategy]) -> str:
    """SHA-256 over the package that a strategy's class comes from, or over its module alone.

    The platform's own strategies count by the folder that they share. A class without a file, as
    one that was typed in, counts by the code of its methods.
    """
    digest = hashlib.sha256(f"{kind.__module__}.{kind.__qualname__}".encode())
    files = _files(kind)
    for name, path in files:
        digest.update(name.encode())
        digest.update(path.read_bytes())
    if not files:
        for name, value in sorted(vars(kind).items()):
            code = getattr(getattr(value, "fget", None) or value, "__code__", None)
            if code is not None:
                digest.update(f"{name}{code.co_code.hex()}{code.co_consts}".encode())
    return digest.hexdigest()


def _files(kind: type[Strategy]) -> list[tuple[str, Path]]:
    """The source files that may decide what a strategy says, by their names within its package."""
    try:
        own = Path(inspect.getfile(kind))
    except (OSError, TypeError):
        return []
    if not own.is_file():
        return []
    package = kind.__module__.rpartition(".")[0]
    if package.startswith("trading."):
        root = own.parent
    else:
        # Of a plug-in all of its package counts, whatever module of it the class stands in.
        top = sys.modules.get(package.partition(".")[0]) if package else None
        located = getattr(top, "__file__", None)
        if located is None:
            return [(own.name, own)]
        root = Path(located).parent
    return [(p.relative_to(root).as_posix(), p) for p in sorted(root.rglob("*.py"))]
