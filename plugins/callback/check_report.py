# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Callback ``check_report``: files that tell a pipeline what the playbook ``check`` found."""

from __future__ import annotations

DOCUMENTATION = r"""
name: check_report
type: aggregate
short_description: Write what the playbook check found into files for continuous integration
version_added: 1.0.0
description:
  - Writes C(check.json), C(check.xml) (JUnit) and C(check.md) (Markdown) when a run of the playbook
    C(epp.autoupdate.check) ends, or of any other playbook that uses M(epp.autoupdate.drift). Other runs write nothing.
  - The exit code of C(ansible-playbook) mixes drift, faults and unreachable hosts. The key C(verdict) of C(check.json)
    tells them apart. Of several verdicts that fit, the first of this list holds.
  - C(faults) is a run that could not compare. A policy is refused, a task failed, a host could not be compared, no host
    was compared, or the run has not ended.
  - C(drift) means that at least one host differs from the inventory.
  - C(incomplete) means that a host was not reached and is not excused by O(allowed_unreachable). A host whose update
    server was not reached counts as not reached, because only the server knows what the host is to have.
  - C(clean) is a run that has compared every host that it had to and found no difference.
  - Each file is replaced whole. A run that starts replaces the files of an earlier one by a report with the verdict
    C(faults), so a run that is interrupted never leaves the result of another one. C(check.json) is written last.
  - Secrets that are hidden in the output of C(--diff) are hidden in the files as well. Control characters and the like,
    in what comes from hosts, are escaped.
notes:
  - A callback has to be enabled by configuration, with C(ANSIBLE_CALLBACKS_ENABLED) or C(callbacks_enabled) in
    C(ansible.cfg). No version of ansible-core enables one by an extra variable or for a playbook of a collection.
  - With job slicing, each slice writes a report of its own hosts.
requirements:
  - enabled in configuration
options:
  directory:
    description:
      - The directory in which the files are written. It is created if it does not exist.
    type: path
    default: autoupdate-report
    env:
      - name: AUTOUPDATE_REPORT
    ini:
      - section: callback_autoupdate_check_report
        key: directory
  allowed_unreachable:
    description:
      - The hosts that may be unreachable while the run still counts as V(clean).
      - A number such as V(5), or a percentage of all hosts such as V(10%), is how many. If more are unreachable, none
        of them is excused. Of several numbers, the highest holds.
      - The name of a group or a host excuses these hosts, which do not count for the number.
    type: list
    elements: str
    default: []
    env:
      - name: AUTOUPDATE_ALLOWED_UNREACHABLE
    ini:
      - section: callback_autoupdate_check_report
        key: allowed_unreachable
seealso:
  - module: epp.autoupdate.drift
  - module: epp.autoupdate.preflight
author:
  - epp.autoupdate contributors (@epp-autoupdate)
"""

EXAMPLES = r"""
ansible.cfg: |
  [defaults]
  callbacks_enabled = epp.autoupdate.check_report

  [callback_autoupdate_check_report]
  directory = reports
  allowed_unreachable = laptops, 2

shell: |
  export ANSIBLE_CALLBACKS_ENABLED=epp.autoupdate.check_report AUTOUPDATE_REPORT=reports
  ansible-playbook -i inventory.yml epp.autoupdate.check || true
  jq -e '.verdict == "clean"' reports/check.json
"""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timestamps import iso
from ansible_collections.epp.autoupdate.plugins.plugin_utils._check_report.allowance import Allowance
from ansible_collections.epp.autoupdate.plugins.plugin_utils._check_report.files import write
from ansible_collections.epp.autoupdate.plugins.plugin_utils._check_report.observations import Observations

_COMPARES = "epp.autoupdate.drift"
_CHECKS_POLICY = "epp.autoupdate.preflight"


class CallbackModule(CallbackBase):
    """Notes the results of a run, and writes the files when it starts and when it ends."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "epp.autoupdate.check_report"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._seen = Observations(iso(time.time()))
        self._patterns: list[Any] = []
        self._hosts: dict[str, None] = {}
        self._groups: dict[str, list[str]] = {}

    def v2_playbook_on_start(self, playbook: Any) -> None:
        self._patterns = [play.hosts for play in playbook.get_plays() if _compares(play)]
        if self._patterns:
            self._write(finished=None)

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Learn which hosts there are to compare, before any of them can fail."""
        inventory = play.get_variable_manager()._inventory
        self._groups = {name: list(hosts) for name, hosts in inventory.get_groups_dict().items()}
        patterns = [play.hosts] if _compares(play) else [one for one in self._patterns if _is_literal(one)]
        for pattern in patterns:
            found = inventory.get_hosts(pattern, ignore_restrictions=True)  # not those of this play alone
            self._hosts.update((host.name, None) for host in found)

    def v2_runner_on_ok(self, result: Any) -> None:
        host, task, values = _parts(result)
        if task.action == _COMPARES:
            self._seen.compared(host, values)
        elif task.action == _CHECKS_POLICY:
            self._seen.policy_checked()

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        host, task, values = _parts(result)
        if task.action == _COMPARES and "drift" in values:
            self._seen.compared(host, values)
        elif task.action == _CHECKS_POLICY and "faults" in values:
            self._seen.policy_checked(values["faults"])
        elif not ignore_errors:
            self._seen.failed(host, task.get_name(), str(values.get("msg") or "it failed"))

    def v2_runner_on_unreachable(self, result: Any) -> None:
        host, _task, values = _parts(result)
        self._seen.unreachable(host, str(values.get("msg") or "not reached"))

    def v2_playbook_on_stats(self, stats: Any) -> None:  # noqa: ARG002  # what Ansible gives
        if self._patterns or self._seen.any:
            self._write(finished=iso(time.time()))

    def _write(self, *, finished: str | None) -> None:
        allowance = Allowance.of(self.get_option("allowed_unreachable"))
        report = self._seen.report(self._hosts, self._groups, allowance, finished)
        write(Path(self.get_option("directory")), report)
        if finished is not None:
            self._display.display(f"check: {report.verdict.value}, in {self.get_option('directory')}/check.json")


def _parts(result: Any) -> tuple[str, Any, Mapping[str, Any]]:
    """Host, task and values of a task's result, which have public names from ansible-core 2.19 on."""
    if hasattr(result, "task"):
        return result.host.get_name(), result.task, result.result
    return result._host.get_name(), result._task, result._result


def _compares(play: Any) -> bool:
    """Whether a play has the task that tells drift; what roles bring is not looked at."""
    lists = (play.pre_tasks, play.tasks, play.post_tasks)
    return any(getattr(task, "action", "") == _COMPARES for tasks in lists for task in _tasks(tasks))


def _tasks(entries: Any) -> Iterator[Any]:
    for entry in entries or ():
        inner = [getattr(entry, part, None) for part in ("block", "rescue", "always")]
        if any(one is not None for one in inner):
            for one in inner:
                yield from _tasks(one)
        else:
            yield entry


def _is_literal(pattern: Any) -> bool:
    texts = [pattern] if isinstance(pattern, str) else list(pattern or ())
    return not any("{{" in str(text) for text in texts)
