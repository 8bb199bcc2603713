# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Columns of a table: each distinct value once, and for each row which one it is.

Most of what a fleet says of itself is the same for thousands of endpoints, and a browser sorts and filters numbers.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Union

from ..._core.timestamps import iso


class Kind(str, Enum):
    """What the values of a column are: texts, instants (ISO 8601 in UTC), whole numbers, whole seconds, whole days."""

    TEXT = "text"
    INSTANT = "instant"
    NUMBER = "number"
    SECONDS = "seconds"
    DAYS = "days"


class Missing(str):
    """Stands for a value that is not known: the reason, in words."""


NEVER = Missing("it has never reported")
TRUNCATED = Missing("its report was too large to name its components")
Cell = Union[str, float, Missing]
"""The value of one row; instants are Unix seconds."""


class Column:
    """One column under construction; ``title`` is its head for people."""

    def __init__(self, name: str, title: str, kind: Kind = Kind.TEXT) -> None:
        self.name = name
        self._title = title
        self._kind = kind
        self._values: dict[Any, int] = {}
        self._missing: dict[str, int] = {}
        self._codes: list[int] = []

    def add(self, cell: Cell) -> None:
        """The value of the next row."""
        if isinstance(cell, Missing):
            self._codes.append(-1 - self._missing.setdefault(str(cell), len(self._missing)))
            return
        value = self._plain(cell)
        self._codes.append(self._values.setdefault(value, len(self._values)))

    def _plain(self, cell: str | float) -> Any:
        if isinstance(cell, str):
            return cell
        return iso(cell) if self._kind is Kind.INSTANT else int(cell)

    def to_dict(self) -> dict[str, Any]:
        """``codes`` has one number for each row: from 0 on the index of a value, and -1 - n is the reason n of
        ``missing``."""
        about = {"name": self.name, "title": self._title, "kind": self._kind.value}
        return {**about, "values": list(self._values), "missing": list(self._missing), "codes": self._codes}
