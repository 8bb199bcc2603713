# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody should do today: the endpoints that need somebody, by state and reason, with the way to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._core.reports.states import EndpointState
from .counts import counted
from .facts import EndpointFacts

_MOST_REASONS = 5
_WAYS = {
    EndpointState.FAILING: "correct what the reason says, then run the playbook epp.autoupdate.site for them",
    EndpointState.REFUSING: "compare their clocks and keys with the server's, then run epp.autoupdate.site for them",
    EndpointState.SILENT: "find out whether they are off, cut off or gone, and remove those that are gone",
    EndpointState.BEHIND: "run the playbook epp.autoupdate.update_now with autoupdate_outdated=true",
    EndpointState.NEVER_SEEN: "run epp.autoupdate.site for them, or remove them from the inventory",
    EndpointState.SWITCHED_OFF: "ask their users, or take the privilege toggle_scheduled_update back",
}


def tasks(facts: Sequence[EndpointFacts]) -> list[dict[str, Any]]:
    """One entry for each state and its most frequent reasons, the state to be mended first at the front."""
    found = []
    for state, way in _WAYS.items():
        those = [one.health.assessment.reason for one in facts if one.health.assessment.state is state]
        reasons = counted(those, _MOST_REASONS)
        found += [
            {"state": state.value, "reason": one["words"], "endpoints": one["endpoints"], "way": way} for one in reasons
        ]
        others = len(those) - sum(one["endpoints"] for one in reasons)
        if others:
            found.append({"state": state.value, "reason": None, "endpoints": others, "way": way})
    return found
