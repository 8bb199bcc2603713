# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an endpoint remembers of a product between updates: cool-downs, and what is not in use yet."""

from __future__ import annotations

import json
from typing import Any

from ...._core.canonical import readable_json
from ...._core.values import asdict, field_names, frozen, replace
from ...._host.host import Host
from ... import paths

_LONGEST_S = 7 * 86400
_TYPES: dict[str, type] = {"cooling_until": int, "why": str, "started": int, "reload_due": bool}


@frozen
class Memory:
    """``cooling_until`` and ``started`` (of the last update) are Unix seconds, 0 for none.

    ``reload_due``: a version has changed, and the commands that bring it into use have not run well since.
    """

    cooling_until: int = 0
    why: str = ""
    started: int = 0
    reload_due: bool = False


def load(host: Host, name: str) -> Memory:
    """What is remembered of a product; a damaged file counts as none."""
    try:
        raw: Any = json.loads(host.read(paths.memory_of(name)) or b"{}")
    except (OSError, ValueError):
        raw = {}
    known = raw if isinstance(raw, dict) else {}
    fits = {key: known[key] for key in field_names(Memory) if isinstance(known.get(key), _TYPES[key])}
    return Memory(**fits)


def change(host: Host, name: str, **changes: Any) -> None:
    """Remember something else; raises OSError."""
    before = load(host, name)
    after = replace(before, **changes)
    if after != before:
        host.write(paths.memory_of(name), readable_json(asdict(after)), mode=0o600)


def cooling_until(memory: Memory, now: float) -> int | None:
    """The end of a cool-down that lasts; one that was noted while the clock was ahead does not count."""
    return memory.cooling_until if now < memory.cooling_until <= now + _LONGEST_S else None


def wanted_pause(memory: Memory, interval: int, now: float) -> int | None:
    """Until when the vendor wants no other update; None where it may be asked."""
    until = memory.started + interval
    return until if interval and memory.started <= now < until else None
