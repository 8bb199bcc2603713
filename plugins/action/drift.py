# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action ``drift``: tells what earlier tasks of the play found by comparing, and fails where it is anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.epp.autoupdate.plugins.module_utils._core.untrusted_text import LONGEST_LINE, data, shown
from ansible_collections.epp.autoupdate.plugins.module_utils._module import specs
from ansible_collections.epp.autoupdate.plugins.plugin_utils._drift import Drift, counted, of_host, of_tree
from ansible_collections.epp.autoupdate.plugins.plugin_utils._names import VARIABLE, name_of


class ActionModule(ActionBase):
    """Reads registered results of its host; contacts nobody."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        _validation, options = self.validate_argument_spec(argument_spec=specs.drift())
        host = str(variables["inventory_hostname"])
        results = [variables[name] for name in options["compared"] if _is_result(variables.get(name))]
        lost = next((one for one in results if one.get("unreachable")), None)
        if lost is not None:
            return {
                "unreachable": True,
                "changed": False,
                "msg": shown(str(lost.get("msg") or "not reached").strip(), LONGEST_LINE),
            }
        found = [drift for result in results for drift in of_host(result)]
        found += self._of_tree(host, variables, options["client_tree"])
        if not found:
            return {"changed": False, "drift": []}
        for line in _told(host, found):
            self._display.display(line)
        return {
            "failed": True,
            "changed": False,
            "msg": shown(f"{host} has drifted: {counted(found)}"),
            "drift": data([one.to_dict() for one in found]),
            "diff": data([{"prepared": "".join(f"{line}\n" for line in one.diff)} for one in found], lines=True),
        }

    def _of_tree(self, host: str, variables: Mapping[str, Any], name: str | None) -> list[Drift]:
        result = variables.get(name) if name else None
        if not isinstance(result, Mapping) or result.get("skipped"):
            return []
        hostvars = variables["hostvars"]
        speaker = next((one for one in variables["ansible_play_hosts_all"] if name in hostvars.raw_get(one)), host)
        given = self._templar.template(variables.get(VARIABLE))
        of_servers = result.get("results", [result])
        endpoint = str(name_of(host, given))
        return [drift for one in of_servers for drift in of_tree(one, endpoint, speaks_for_all=speaker == host)]


def _is_result(value: Any) -> bool:
    return isinstance(value, Mapping) and not value.get("skipped")


def _told(host: str, found: list[Drift]) -> Iterator[str]:
    """One line for each drift, its difference indented below it, all of it printable (R5)."""
    for drift in found:
        yield shown(f"{host}: {drift.sentence}", LONGEST_LINE)
        yield from (shown(f"    {line}", LONGEST_LINE) for line in drift.diff)
