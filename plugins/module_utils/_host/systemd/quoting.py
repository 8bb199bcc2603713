# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Strings quoted for systemd's unit files (systemd.syntax(7), systemd.service(5))."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PLAIN = re.compile(r"[A-Za-z0-9_./:@,+=-]+")


def path_word(path: str) -> str:
    """A path for a list setting such as ``ReadWritePaths=`` or as the program of ``ExecStart=``.

    Specifiers in it mean nothing. Raises ValueError for one that would end the line.
    """
    if any(character in path for character in "\n\r\0"):
        raise ValueError(f"{path!r} can't stand in a unit file: it breaks the line")
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return escaped if _PLAIN.fullmatch(path) else f'"{escaped}"'


def argument(word: str) -> str:
    """A word behind the program of ``ExecStart=`` and its like; specifiers and variables in it mean nothing."""
    return path_word(word).replace("$", "$$")


def optional_paths(paths: Iterable[str]) -> str:
    """Paths for ``ReadWritePaths=`` that may be missing when the unit starts; each once, in a stable order."""
    return " ".join(_optional(path_word(path)) for path in sorted(set(paths)))


def _optional(word: str) -> str:
    return f'"-{word[1:]}' if word.startswith('"') else f"-{word}"
