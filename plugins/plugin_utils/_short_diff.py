# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The difference of a first converge, which is mostly new files, in one line for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_FEW = 3
"""Up to so many new files are shown whole."""
_ABSENT = " (absent)"
_IN_ONE_LINE = ("directory\n", "link to ", "(")
"""How the texts begin that stand for something else than lines."""


def shortened(diff: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The items of a diff, in which many new files become one item that lists them; what changes stays whole."""
    new = [one for one in diff if str(one.get("before_header", "")).endswith(_ABSENT) and one.get("after")]
    if len(new) <= _FEW:
        return [dict(one) for one in diff]
    rest = [dict(one) for one in diff if one not in new]
    return [{"prepared": "".join(map(_line, new)) + "(-v shows what is in them)\n"}, *rest]


def _line(item: Mapping[str, Any]) -> str:
    return f"+ {item['after_header']}: {_summary(str(item['after']))}\n"


def _summary(text: str) -> str:
    """The number of lines of a file; of a directory, a link or what is no text the one line that stands for it."""
    if text.startswith(_IN_ONE_LINE):
        return text.rstrip("\n")
    count = len(text.splitlines())
    return f"{count} line{'' if count == 1 else 's'}"
