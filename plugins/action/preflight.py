# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action ``preflight``: checks the variables of all hosts of the play at once, on the control node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.template import Templar
from ansible_collections.epp.autoupdate.plugins.module_utils._core.faults import Fault
from ansible_collections.epp.autoupdate.plugins.plugin_utils._inventory import (
    PREFIX,
    READ,
    HostCheck,
    InventoryCheck,
    unknown_variables,
)

_SHOWN_HOSTS = 5


class ActionModule(ActionBase):
    """Runs once for all hosts of the batch, and contacts none of them."""

    BYPASS_HOST_LOOP = True
    TRANSFERS_FILES = False
    _requires_connection = False
    _VALID_ARGS = frozenset(())

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        hosts = list(variables["ansible_play_batch"])
        inventory, checks, unknown, ordinals = InventoryCheck(), {}, {}, {}
        for host in hosts:
            raw = self._variables_of(host, variables)
            unknown.update(dict.fromkeys(unknown_variables(iter(raw))))
            checks[host], ordinal = self._check(inventory, host, raw)
            ordinals.setdefault(ordinal, []).append(host)
        result = {"changed": False, "checked": len(hosts), "warnings": [*unknown, *_shared(ordinals)]}
        faults = _lines(checks)
        if faults:
            return {**result, "failed": True, "faults": faults, "msg": "\n".join(faults)}
        return result

    def _variables_of(self, host: str, task_vars: Mapping[str, Any]) -> Mapping[str, Any]:
        """The host's variables, not templated, as a task of this very place would see them.

        ``hostvars`` would do, were it not blind to the variables of the play and the role.
        """
        hostvars = task_vars["hostvars"]
        manager = getattr(hostvars, "_variable_manager", None)
        play = getattr(self._task, "play", None)
        if manager is None or play is None:
            return dict(hostvars.get(host))
        found = hostvars._inventory.get_host(host)
        variables: Mapping[str, Any] = manager.get_vars(play=play, host=found, task=self._task)
        return variables

    def _check(self, inventory: InventoryCheck, host: str, raw: Mapping[str, Any]) -> tuple[HostCheck, Any]:
        templar = Templar(loader=self._loader, variables=raw)
        values: dict[str, Any] = {}
        faults: list[Fault] = []
        for name in READ:
            try:
                if PREFIX + name in raw:
                    values[name] = templar.template(raw[PREFIX + name])
            except AnsibleError as error:
                faults.append(Fault(PREFIX + name, "a template that fails", f"usable: {error}"))
        if faults:
            return HostCheck(tuple(faults)), None
        return inventory.host(host, values), values.get("ordinal")


def _lines(checks: Mapping[str, HostCheck]) -> list[str]:
    """One line for each fault, with the hosts that have it."""
    hosts_with: dict[str, list[str]] = {}
    for host, check in checks.items():
        for fault in check.faults:
            hosts_with.setdefault(str(fault), []).append(host)
    return [f"{_names(hosts)}: {fault}" for fault, hosts in hosts_with.items()]


def _shared(ordinals: Mapping[Any, list[str]]) -> Iterable[str]:
    for ordinal, hosts in ordinals.items():
        if ordinal is not None and len(hosts) > 1:
            yield f"{_names(hosts)} share the ordinal {ordinal}, so they update at the same instant"


def _names(hosts: list[str]) -> str:
    more = len(hosts) - _SHOWN_HOSTS
    return ", ".join(hosts[:_SHOWN_HOSTS]) + (f" and {more} more" if more > 0 else "")
