# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts of what many endpoints say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

MOST = 20


def counted(words: Iterable[str], most: int = MOST) -> list[dict[str, Any]]:
    """How often each is said, the most frequent first; those beyond ``most`` are left out."""
    found = Counter(words)
    ordered = sorted(found, key=lambda word: (-found[word], word))
    return [{"words": word, "endpoints": found[word]} for word in ordered[:most]]
