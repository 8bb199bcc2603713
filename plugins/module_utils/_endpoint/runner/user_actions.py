# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users ask for, and whether they may (P1, P3)."""

from __future__ import annotations

import os
import syslog
from collections.abc import Mapping
from typing import Any, Callable

from ..._core.values import replace
from ..._host.host import Host
from ..endpoint import Endpoint
from ..privileges import UserAction
from ..state.store import State
from ..status.status import publish_current, save_and_publish


class Denied(PermissionError):
    """A user asked for something that no privilege grants; nothing was changed."""


def for_root_alone(host: Host, command: str) -> None:
    """Raise Denied where a user asks for what no privilege covers; nothing was begun."""
    if host.live and os.geteuid() != 0:
        raise Denied(f"denied: {command} is for root alone, and no privilege grants it to users (try sudo)")


_WORDS = {
    UserAction.SCHEDULE_ENABLE: "switching scheduled update on",
    UserAction.SCHEDULE_DISABLE: "switching scheduled update off",
    UserAction.UPDATE_NOW: "Update Now",
    UserAction.ROAMING_ON: "switching roaming on",
    UserAction.ROAMING_OFF: "switching roaming off",
}


def require(host: Host, action: UserAction, policy: Mapping[str, Any]) -> None:
    """Raise Denied, and log it, unless the policy (as plain values, so the status holds it) grants the action."""
    if not policy["privileges"][action.privilege]:
        _deny(host, action, f"the privilege privileges.{action.privilege} is not granted on this endpoint")


def require_membership(host: Host, action: UserAction, group: str) -> None:
    """Raise Denied, and log it, unless the calling user is root or a member of the group."""
    import grp

    try:
        wanted = grp.getgrnam(group).gr_gid
    except KeyError:
        wanted = -1
    if os.geteuid() != 0 and wanted not in (*os.getgroups(), os.getegid()):
        _deny(host, action, f"only members of the group {group} may, by privileges.{action.privilege}")


def set_switch(endpoint: Endpoint, *, on: bool) -> None:
    """Record the user's own switch (P1); raises Denied where the policy does not leave it to the user."""
    action = UserAction.SCHEDULE_ENABLE if on else UserAction.SCHEDULE_DISABLE
    require(endpoint.host, action, endpoint.document.policy.to_dict())
    _save(endpoint, lambda state: replace(state, switch=on))
    endpoint.host.log(syslog.LOG_NOTICE, f"{_WORDS[action]}: done by the user")


def set_roaming(endpoint: Endpoint, *, on: bool) -> None:
    """Record the roaming state; raises Denied where the policy does not grant it."""
    action = UserAction.ROAMING_ON if on else UserAction.ROAMING_OFF
    require(endpoint.host, action, endpoint.document.policy.to_dict())
    _save(endpoint, lambda state: replace(state, roaming=on))
    endpoint.host.log(syslog.LOG_NOTICE, f"{_WORDS[action]}: done by the user")


def _save(endpoint: Endpoint, transform: Callable[[State], State]) -> None:
    """Change what is the endpoint's, and tell it in the status of each of its products."""
    save_and_publish(endpoint, transform, of_endpoint=True)
    for one in endpoint.each()[1:]:
        publish_current(one)


def denied_by_system(action: UserAction, complaint: str) -> Denied:
    """What a user is told when the system's own door (polkit, sudo) did not open; it has logged that itself."""
    return Denied(f"{_WORDS[action]}: denied by polkit (or sudo): {complaint.strip() or 'no reason given'}")


def missing_program(action: UserAction, program: str) -> Denied:
    """What a user is told on a host that lacks the program by which the system would let users in."""
    return Denied(
        f"{_WORDS[action]}: this host has no {program}, by which its users would be let in: root can do it without, "
        f"or install {program}"
    )


def _deny(host: Host, action: UserAction, reason: str) -> None:
    words = f"{_WORDS[action]}: denied, {reason}"
    host.log(syslog.LOG_NOTICE, f"{words} (asked for by uid {os.getuid()})")
    raise Denied(words)
