# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds instants in plain data that do not have the one form, ISO 8601 in UTC."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

SERIALS = frozenset(("sequence", "serial", "shard_serial", "tree_serial"))
"""Numbers that may be as high as an instant, and are none (C4)."""
_SERIALS_IN_WORDS = re.compile(r"(?:tree|shard|catalog|serial|serial is|record is) [0-9]+")
_EARLIEST = 10**9
"""Unix seconds of the year 2001."""
_SECONDS = re.compile(r"(?<![0-9A-Fa-f.-])1[0-9]{9}(?:\.[0-9]+)?(?![0-9A-Fa-f.-])")
_CLOCK = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:\S*")
_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def of_another_form(content: Any, path: str = "") -> list[str]:
    """Where plain data has numbers, or texts with them, that look like Unix seconds, or times of another form."""
    if isinstance(content, dict):
        inner = ((key, one) for key, one in content.items() if key not in SERIALS)
        return [found for key, one in inner for found in of_another_form(one, f"{path}.{key}".lstrip("."))]
    if isinstance(content, (list, tuple)):
        return [found for number, one in enumerate(content) for found in of_another_form(one, f"{path}[{number}]")]
    return [f"{path}: {content}"] if _is_another(content) else []


def told(result: Any) -> Any:
    """A result of Ansible without what the caller gave, what files hold, and pages for people."""
    return {key: one for key, one in result.items() if key not in ("invocation", "diff", "html")}


def instants(content: Any) -> Iterator[str]:
    """Every text of plain data that is an instant in the one form."""
    if isinstance(content, (dict, list, tuple)):
        for one in content.values() if isinstance(content, dict) else content:
            yield from instants(one)
    elif isinstance(content, str) and _FORM.fullmatch(content):
        yield content


def _is_another(content: Any) -> bool:
    if isinstance(content, str):
        clocks = (match[0].rstrip(".,;:)\"'") for match in _CLOCK.finditer(content))
        return bool(_SECONDS.search(_SERIALS_IN_WORDS.sub("", content))) or not all(map(_FORM.fullmatch, clocks))
    return isinstance(content, (int, float)) and content > _EARLIEST
