"""DynamoDB's request units by AWS's published rules, from the items themselves.

The emulator reports consumed capacity without looking at sizes (2 for every item of a transaction,
1 for every consistent read) and without the indexes that a transaction writes, so what it says
would neither be true nor ever grow. Here every figure follows from item sizes:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html and
.../CapacityUnitCalculations.html. One rule is not spelled out there and is taken so: an index is
written once, not twice, for a transactional write of its table.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

Attributes = Mapping[str, Any]
"""An item in DynamoDB's typed form."""

READ_BYTES = 4096
WRITE_BYTES = 1024


def item_size(item: Attributes) -> int:
    """Bytes that an item is billed for: names and values."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Mapping[str, Any]) -> int:
    """Bytes of one typed value."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return _number_size(Decimal(content))
        case "B":
            return len(content)
        case "BOOL" | "NULL":
            return 1
        case "M":
            return 3 + len(content) + item_size(content)
        case "L":
            return 3 + len(content) + sum(map(_value_size, content))
        case _:
            raise ValueError(f"an attribute of type {kind} is not used here")


def _number_size(number: Decimal) -> int:
    """About a byte per two significant digits, one more, and one for a minus."""
    digits = len(number.normalize().as_tuple().digits)
    return min(21, math.ceil(digits / 2) + 1 + (number < 0))


def read_units(size: int, *, consistent: bool) -> Decimal:
    """Units of a read of so many bytes; what is not there costs as much as the smallest item."""
    return max(1, math.ceil(size / READ_BYTES)) * (Decimal(1) if consistent else Decimal("0.5"))


def write_units(
    before: Attributes | None,
    after: Attributes | None,
    index_keys: Iterable[tuple[str, ...]],
    *,
    transactional: bool,
) -> Decimal:
    """Units of a write that made ``before`` into ``after`` (None: no item), its indexes included.

    ``index_keys`` are the key attributes of every index; indexes hold all attributes.
    """
    size = max(item_size(item) if item else 0 for item in (before, after))
    table = _kilobytes(size) * (2 if transactional else 1)
    return Decimal(table + sum(_index_units(before, after, keys) for keys in index_keys))


def _index_units(before: Attributes | None, after: Attributes | None, keys: tuple[str, ...]) -> int:
    """Units of one index: written, rewritten, moved (deleted and written), or not concerned."""
    was, now = _entry(before, keys), _entry(after, keys)
    if was == now:
        return 0
    if was and now and all(was[key] == now[key] for key in keys):
        return _kilobytes(max(item_size(was), item_size(now)))
    return sum(_kilobytes(item_size(entry)) for entry in (was, now) if entry)


def _entry(item: Attributes | None, keys: tuple[str, ...]) -> Attributes | None:
    """An item's entry in an index, if it has the index's keys."""
    return item if item and all(key in item for key in keys) else None


def _kilobytes(size: int) -> int:
    return max(1, math.ceil(size / WRITE_BYTES))
