"""Where the project's files are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trading_cli.errors import UserError

TEMPLATE = "template.yaml"


@dataclass(frozen=True)
class Project:
    """The checkout that is built and deployed; everything made on this machine is in ``local``."""

    root: Path

    @property
    def template(self) -> Path:
        """The SAM template."""
        return self.root / TEMPLATE

    @property
    def local(self) -> Path:
        """The folder of the emulator's state, of builds and of logs; not under version control."""
        return self.root / ".local"


def find_project(start: Path | None = None) -> Project:
    """Return the project around ``start`` (the working directory), or the one of this file.

    Raises UserError when neither lies in a checkout.
    """
    starts = (start or Path.cwd(), Path(__file__).resolve().parent)
    for folder in (f for s in starts for f in (s, *s.parents)):
        if (folder / TEMPLATE).is_file() and (folder / "functions").is_dir():
            return Project(folder)
    raise UserError("This is not a checkout of the project: there is no template.yaml.")
