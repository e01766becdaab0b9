"""What the tool tells its user instead of a traceback."""

from __future__ import annotations


class UserError(Exception):
    """Something that the user can put right; the message is a full sentence that says how."""
