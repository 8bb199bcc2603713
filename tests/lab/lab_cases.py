# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many cases of one behavior: some are tried every day, the others are heavy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest


def cases(table: Mapping[str, Any] | list[str], *everyday: str) -> list[Any]:
    """A table's rows for ``parametrize``, each with its name as id; all but those named are marked ``heavy``.

    A row is one argument, or a tuple of several; the rows of a list are their names themselves.
    """
    rows = table if isinstance(table, Mapping) else {name: name for name in table}
    strangers = [name for name in everyday if name not in rows]
    if strangers:
        raise ValueError(f"the table has no case {strangers[0]!r}; it has {', '.join(rows)}")
    return [_case(name, row, heavy=name not in everyday) for name, row in rows.items()]


def _case(name: str, row: Any, *, heavy: bool) -> Any:
    arguments = row if isinstance(row, tuple) else (row,)
    return pytest.param(*arguments, id=name, marks=[pytest.mark.heavy] if heavy else [])
