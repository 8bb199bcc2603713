# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of versions of Debian packages (deb-version(7)), for those who have no dpkg to ask."""

from __future__ import annotations

import re
from typing import Any

_PIECE = re.compile(r"([^0-9]*)([0-9]*)")
_BEFORE_THE_END = -1
"""What a tilde counts as: less than the end of a part, which is 0."""


def ordering(version: str) -> tuple[Any, ...]:
    """A key by which versions are sorted as ``dpkg --compare-versions`` does. Any text has one."""
    epoch, colon, rest = version.partition(":")
    number = int(epoch) if colon and epoch.isascii() and epoch.isdigit() else 0
    upstream, dash, revision = (rest if colon else version).rpartition("-")
    return (number, _part(upstream), _part(revision)) if dash else (number, _part(revision), _part("0"))


def _part(text: str) -> tuple[Any, ...]:
    """The key of the upstream version or of the revision: characters and numbers in turn."""
    found: list[Any] = []
    for words, digits in _PIECE.findall(text):
        if words or digits:
            found += [(*map(_weight, words), 0), int(digits or 0)]
    return (*found, (0,))


def _weight(character: str) -> int:
    """Letters come before all other characters, and a tilde before everything."""
    if character == "~":
        return _BEFORE_THE_END
    return ord(character) + (0 if character.isalpha() else 0x110000)
