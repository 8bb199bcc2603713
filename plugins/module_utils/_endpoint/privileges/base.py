# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What policy may allow the users of an endpoint, and how each of it is asked for (P1, P3)."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from ..._core.resources.resources import Resource
from ..._core.values import frozen
from ..paths import unit_of_product


class UserAction(str, Enum):
    """What a user may be allowed to do; the value is what the user types after ``epp-agent``."""

    SCHEDULE_ENABLE = "schedule enable"
    SCHEDULE_DISABLE = "schedule disable"
    UPDATE_NOW = "update-now"
    ROAMING_ON = "roaming on"
    ROAMING_OFF = "roaming off"

    @property
    def privilege(self) -> str:
        """The policy key that grants it."""
        return _ACTIONS[self].privilege

    @property
    def unit(self) -> str:
        """The systemd unit that does it."""
        return _ACTIONS[self].unit

    @property
    def arguments(self) -> tuple[str, ...]:
        """What the agent is started with, as root, by that unit or by sudo."""
        return _ACTIONS[self].arguments


@frozen
class _ActionSpec:
    privilege: str
    unit: str
    arguments: tuple[str, ...]


_ACTIONS = {
    UserAction.SCHEDULE_ENABLE: _ActionSpec(
        "toggle_scheduled_update", "epp-schedule@enable.service", ("schedule", "enable")
    ),
    UserAction.SCHEDULE_DISABLE: _ActionSpec(
        "toggle_scheduled_update", "epp-schedule@disable.service", ("schedule", "disable")
    ),
    UserAction.UPDATE_NOW: _ActionSpec("update_now", "epp-update@manual.service", ("run", "--trigger", "manual")),
    UserAction.ROAMING_ON: _ActionSpec("go_roaming", "epp-roaming@on.service", ("roaming", "on")),
    UserAction.ROAMING_OFF: _ActionSpec("go_roaming", "epp-roaming@off.service", ("roaming", "off")),
}


@frozen
class GrantedPrivileges:
    """What the members of a group may do on this endpoint."""

    group: str
    toggle: bool
    update_now: bool
    roaming: bool
    agent: str
    products: tuple[str, ...] = ()
    """The instances of the endpoint's further products, each of which has an Update Now of its own."""

    def granted(self) -> tuple[UserAction, ...]:
        """The actions that are allowed, in a stable order."""
        grants = {"toggle_scheduled_update": self.toggle, "update_now": self.update_now, "go_roaming": self.roaming}
        return tuple(action for action in UserAction if grants[action.privilege])

    def units(self, action: UserAction) -> tuple[str, ...]:
        """The systemd units of an action: one for each product where it is a product's."""
        further = self.products if action is UserAction.UPDATE_NOW else ()
        return (action.unit, *(unit_of_product(action.unit, name) for name in further))

    def commands(self, action: UserAction) -> tuple[tuple[str, ...], ...]:
        """The arguments of the agent for an action: one list for each product where it is a product's."""
        further = self.products if action is UserAction.UPDATE_NOW else ()
        return (action.arguments, *((*action.arguments, "--product", name) for name in further))


class PrivilegeBackend(Protocol):
    """One way in which a host lets ordinary users do a few things as root."""

    name: str

    def entries(self, privileges: GrantedPrivileges) -> tuple[Resource, ...]:
        """What the file system should hold for these privileges.

        Write it after the scheduler's entries and remove it before them: a right must never outlive what it starts.
        """

    def owned(self) -> tuple[str, ...]:
        """Every path that this back end may ever have written."""

    def user_command(self, action: str, instance: str = "") -> tuple[str, ...]:
        """The argument list by which an unprivileged user asks for an action; ValueError for one that is unknown.

        ``instance``: that of the product which it is for.
        """
