# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the status tells of blackouts (G7)."""

from __future__ import annotations

from typing import Any

from ..._core.timestamps import iso
from ..endpoint import Endpoint


def blackout_of(endpoint: Endpoint) -> dict[str, Any] | None:
    """The blackout that is in force or the next one of the coming two weeks, and which windows blackouts swallow before
    the next run; None where there is none of either."""
    timetable = endpoint.timetable()
    if timetable is None or timetable.blackouts is None:
        return None
    from ..._core.schedule.next_slots import coming_blackout, swallowed_before

    now = endpoint.host.now()
    span = coming_blackout(timetable.blackouts, now)
    swallowed = swallowed_before(timetable, now)
    if span is None:
        return None
    return {"name": span.name, "start": iso(span.start), "end": iso(span.end), "swallowed": list(swallowed)}
