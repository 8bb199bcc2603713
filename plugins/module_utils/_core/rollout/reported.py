# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is kept of an endpoint's answer to a notice: known keys of known types, bounded (R5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..untrusted_text import LONGEST_WORD, shown
from ..validation.foreign import UNFIT, Reader, each, flag, known, moment, optional, sentence, word

MAX_COMPONENTS = 20_000


def reported(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What an answer tells as far as it is understood; a key that is unknown, or of another type, is left out."""
    return known(raw, _READERS)


def _component(raw: object) -> object:
    """Name and version, which may be a number in what another agent wrote."""
    if not isinstance(raw, dict) or not isinstance(raw.get("name"), str):
        return UNFIT
    return {"name": shown(raw["name"], LONGEST_WORD), "version": _version(raw.get("version"))}


def _version(raw: object) -> str:
    plain = isinstance(raw, (str, int, float)) and not isinstance(raw, bool)
    return shown(str(raw), LONGEST_WORD) if plain else "unknown"


_READERS: dict[str, Reader] = {
    **dict.fromkeys(("campaign", "endpoint", "product", "result", "trigger", "version"), word),
    "reason": sentence,
    "joined": optional(word),
    **dict.fromkeys(("started", "finished"), moment),
    "until": optional(moment),
    "changed": each(word, MAX_COMPONENTS),
    **dict.fromkeys(("before", "after"), each(_component, MAX_COMPONENTS)),
    "repeated": flag,
}
