# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which runs ask the update server for the configuration (S2)."""

from __future__ import annotations

from ..._core.policy.policy import Initiator
from ..._core.policy.privileges import scheduled_update_runs
from ..._core.results import Trigger
from ..._core.schedule.sync_schedule import configuration_due, daily_calendar, daily_due
from ..endpoint import Endpoint
from ..state.store import State


def should_sync(trigger: Trigger, endpoint: Endpoint, state: State) -> bool:
    """Whether a run by this trigger asks before it updates: scheduled ones when S2 says so, E2 and Update Now always.

    What the server has notified about are components, and 250 at a time; so that asks only where nothing was adopted.
    """
    if endpoint.document.server is None:
        return False
    if trigger is Trigger.SCHEDULE:
        timetable = endpoint.timetable()
        return timetable is None or configuration_due(timetable, now=endpoint.host.now(), last=_answered(state))
    return not endpoint.configured or trigger in (Trigger.RECONNECT, Trigger.MANUAL)


def daily_sync_due(endpoint: Endpoint, state: State) -> bool:
    """Whether the daily waking asks: once a day on an endpoint that no schedule of its own makes ask."""
    if endpoint.document.server is None or _syncs_by_schedule(endpoint, state):
        return False
    calendar = daily_calendar(endpoint.document.endpoint, endpoint.document.ordinal)
    return not endpoint.configured or daily_due(calendar, now=endpoint.host.now(), last=_answered(state))


def _syncs_by_schedule(endpoint: Endpoint, state: State) -> bool:
    policy = endpoint.document.policy
    own = policy.schedule.initiator is Initiator.ENDPOINT
    runs = own and scheduled_update_runs(policy.privileges, state.switch)
    return endpoint.configured and runs and endpoint.timetable() is not None


def _answered(state: State) -> float | None:
    return None if state.sync is None else state.sync.answered
