# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether, and when, a trigger may start an update here (E1-E3, S4, P1, P3)."""

from __future__ import annotations

from typing import Callable

from ..._core.policy.policy import Policy
from ..._core.policy.privileges import scheduled_update_runs
from ..._core.results import Trigger
from ..state.store import State


def skip_reason(trigger: Trigger, policy: Policy, state: State) -> str | None:
    """Why this trigger may not update now, None when it may."""
    return _SKIP_REASONS[trigger](policy, state)


def may_update_now(policy: Policy) -> str | None:
    """Why a user may not start Update Now, None when the policy grants it (P3)."""
    return None if policy.privileges.update_now else "the privilege privileges.update_now is not granted here"


def scans_after(trigger: Trigger, policy: Policy, state: State) -> bool:
    """Whether an update by this trigger that changed a component is followed by a scan (E3)."""
    return trigger.by_event and policy.events.scan_after_update and not state.roaming


def _scheduled(policy: Policy, state: State) -> str | None:
    if scheduled_update_runs(policy.privileges, state.switch):
        return None
    if policy.privileges.toggle_scheduled_update and state.switch is False:
        return "the user has switched scheduled update off"
    return "scheduled update is off by policy (privileges.scheduled_update)"


def _download(policy: Policy, state: State) -> str | None:
    if not policy.events.update_after_download:
        return "events.update_after_download is off"
    if state.roaming and not policy.events.include_roaming_and_offline:
        return "this endpoint is roaming and events.include_roaming_and_offline is off"
    return None


def _reconnect(policy: Policy, state: State) -> str | None:
    if not policy.events.update_on_reconnect:
        return "events.update_on_reconnect is off"
    return "this endpoint is roaming" if state.roaming else None


def _manual(_policy: Policy, _state: State) -> str | None:
    return None


_SKIP_REASONS: dict[Trigger, Callable[[Policy, State], str | None]] = {
    Trigger.SCHEDULE: _scheduled,
    Trigger.DOWNLOAD: _download,
    Trigger.RECONNECT: _reconnect,
    Trigger.MANUAL: _manual,
}
