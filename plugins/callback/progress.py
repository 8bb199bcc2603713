# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Callback ``progress``: one live line for a run over many hosts, and what went wrong."""

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: stdout
short_description: One live line for large fleets instead of one line for each host
version_added: 1.0.0
description:
  - Replaces the output of C(ansible-playbook). At a terminal, one line is rewritten while the run goes on, ten times a
    second at most. It has the task, how many hosts of the play are through with it, how many hosts have failed, were
    not reached or have changed in this play, the rate, and the time that is left for the task at this rate.
  - Above the line, each play is one line with the number of its hosts. What fails, hosts that are not reached,
    warnings, the output of C(--diff) and that of M(ansible.builtin.debug) are printed in full as they come, and with
    C(-v) every result. Hosts that are fine are printed nowhere.
  - The run ends with the number of hosts that failed, were not reached, have changed or are fine, and with one line for
    each host that failed or was not reached.
  - There is no live line in a pipe or a file, where the environment variable C(CI) is set, or where C(TERM) is C(dumb)
    or not set. Everything else is the same there.
  - Control characters, bidirectional marks and the like in results of hosts are escaped, so that they can't act on the
    screen.
notes:
  - The line has the hosts that are through with the task that began last. With the strategies C(free) and
    C(host_pinned) that is the one that the fastest host has reached.
  - A batch of C(serial) counts as a play.
requirements:
  - set as stdout callback in configuration
extends_documentation_fragment:
  - ansible.builtin.result_format_callback
seealso:
  - plugin: epp.autoupdate.check_report
    plugin_type: callback
author:
  - epp.autoupdate contributors (@epp-autoupdate)
"""

EXAMPLES = r"""
ansible.cfg: |
  [defaults]
  stdout_callback = epp.autoupdate.progress

shell: |
  ANSIBLE_STDOUT_CALLBACK=epp.autoupdate.progress ansible-playbook -i inventory.yml epp.autoupdate.site
"""

import sys
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from ansible import constants as C  # noqa: N812  # as everybody calls it
from ansible import context
from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback import CallbackBase
from ansible_collections.epp.autoupdate.plugins.module_utils._core.untrusted_text import data, shown
from ansible_collections.epp.autoupdate.plugins.plugin_utils._progress.live_line import LiveLine, printable
from ansible_collections.epp.autoupdate.plugins.plugin_utils._progress.play_counts import PlayCounts
from ansible_collections.epp.autoupdate.plugins.plugin_utils._progress.recap import recap

_WITHOUT_RUN_ONCE = ("free", "host_pinned")
"""Strategies that run a task on every host whatever it says."""


class CallbackModule(CallbackBase):
    """Counts what is fine, and prints the rest."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "epp.autoupdate.progress"

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._live: LiveLine | None = None
        self._counts = PlayCounts(0)
        self._runs_once = True
        self._named = ""
        self._reasons: dict[str, str] = {}

    def v2_playbook_on_start(self, playbook: Any) -> None:  # noqa: ARG002  # what Ansible gives
        self._live = self._live or LiveLine(sys.stdout, self._display)  # one for all playbooks of a command

    def v2_playbook_on_play_start(self, play: Any) -> None:
        hosts = len(play.get_variable_manager()._inventory.get_hosts(play.hosts))
        self._counts = PlayCounts(hosts)
        self._runs_once = str(play.strategy).rpartition(".")[2] not in _WITHOUT_RUN_ONCE
        checked = " [CHECK MODE]" if play.check_mode else ""
        self._say(f"PLAY [{play.get_name().strip()}]{checked} {hosts} host{'' if hosts == 1 else 's'}")

    def v2_playbook_on_no_hosts_matched(self) -> None:
        self._say("no hosts matched", C.COLOR_SKIP)

    def v2_playbook_on_no_hosts_remaining(self) -> None:
        self._say("no more hosts left", C.COLOR_ERROR)

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002  # what Ansible gives
        name = task.get_name().strip()
        if self._counts.begin(task._uuid, name, once=self._runs_once and task.run_once is True):
            if self._live is not None:
                self._live.restart()
            self._draw()

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self.v2_playbook_on_task_start(task, False)

    def v2_runner_on_ok(self, result: Any) -> None:
        host, task = _place(result)
        changed = result.is_changed()
        self._counts.through(task._uuid, host, changed=changed)
        if not isinstance(task, TaskInclude):
            self._tell(result, "changed" if changed else "ok", C.COLOR_CHANGED if changed else C.COLOR_OK)
        self._draw()

    def v2_runner_on_skipped(self, result: Any) -> None:
        host, task = _place(result)
        self._counts.through(task._uuid, host)
        self._tell(result, "skipping", C.COLOR_SKIP)
        self._draw()

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        host, task, values = _parts(result)
        if ignore_errors:
            self._counts.through(task._uuid, host)
        else:
            self._counts.failed(host)
            self._reasons.setdefault(host, f"{task.get_name().strip()}: {values.get('msg') or 'it failed'}")
        if not _is_told_by_item(task, values):
            self._fail(result, "failed, ignored" if ignore_errors else "failed", C.COLOR_ERROR)
        self._draw()

    def v2_runner_on_unreachable(self, result: Any) -> None:
        host, task, values = _parts(result)
        if task.ignore_unreachable:
            self._counts.through(task._uuid, host)
        else:
            self._counts.unreachable(host)
        self._reasons.setdefault(host, str(values.get("msg") or "it was not reached"))
        self._fail(result, "unreachable", C.COLOR_UNREACHABLE)
        self._draw()

    def v2_runner_item_on_ok(self, result: Any) -> None:
        if not isinstance(_place(result)[1], TaskInclude):
            self._tell(result, "changed" if result.is_changed() else "ok", C.COLOR_OK)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        self._fail(result, "failed", C.COLOR_ERROR)

    def v2_runner_item_on_skipped(self, result: Any) -> None:
        self._tell(result, "skipping", C.COLOR_SKIP)

    def v2_on_file_diff(self, result: Any) -> None:
        host, task, values = _parts(result)
        found = values["results"] if _is_told_by_item(task, values) else [values]
        diffs = [one["diff"] for one in found if one.get("diff") and one.get("changed")]
        texts = [text for text in (self._get_diff(data(diff, lines=True)) for diff in diffs) if text]
        if texts:
            self._name(task)
            self._say(f"{shown(host)}:", C.COLOR_CHANGED)
        for text in texts:
            self._display.display(text)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        if self._live is not None:
            self._live.erase()
        checked = " [CHECK MODE]" if context.CLIARGS.get("check") else ""
        first, *others = recap({host: stats.summarize(host) for host in stats.processed}, self._reasons)
        self._say(f"RECAP{checked} {first}", C.COLOR_ERROR if others else C.COLOR_OK)
        for line in others:
            self._say(line, C.COLOR_ERROR)

    def _tell(self, result: Any, word: str, color: str) -> None:
        """Print the warnings of a result, and with ``-v`` or of ``debug`` the result as well."""
        _host, task = _place(result)
        wanted = self._display.verbosity > 0 or task.action in C._ACTION_DEBUG
        warns = _has_warnings(result)
        if not warns and not wanted:
            return
        values = _parts(result)[2]
        told = wanted and self._run_is_verbose(result) and not _is_told_by_item(task, values)
        if warns or told:
            self._name(task)
        if warns:
            self._warn(result)
        if told:
            self._say_result(result, word, color)

    def _fail(self, result: Any, word: str, color: str) -> None:
        """Print a result that is not as it should be, in full."""
        self._name(_place(result)[1])
        self._warn(result)
        self._say_result(result, word, color)

    def _say_result(self, result: Any, word: str, color: str) -> None:
        _host, task, values = _parts(result)
        head = f"{word}: [{_label(result)}]{self._item(result)}"
        self._clean_results(values, task.action)
        self._say(f"{head} => {self._dump_results(values)}", color)

    def _item(self, result: Any) -> str:
        values = _parts(result)[2]
        return f" (item={self._get_item_label(values)})" if "ansible_loop_var" in values else ""

    def _warn(self, result: Any) -> None:
        """Print warnings and the traceback of a result; ansible-core 2.19 has one function for both."""
        both = getattr(self, "_handle_warnings_and_exception", None)
        with self._live.escaping() if self._live is not None else nullcontext():
            if both is not None:
                both(result)
                return
            values = _parts(result)[2]
            self._handle_exception(values)
            self._handle_warnings(values)

    def _name(self, task: Any) -> None:
        """Name the task once, before the first thing that is said of it."""
        if self._named != task._uuid:
            self._named = task._uuid
            self._say(f"TASK [{task.get_name().strip()}]")

    def _say(self, text: str, color: str | None = None) -> None:
        self._display.display(printable(text), color=color)

    def _draw(self) -> None:
        if self._live is not None:
            self._live.show(self._counts.progress)


def _is_told_by_item(task: Any, values: Mapping[str, Any]) -> bool:
    """Whether a result is that of a loop, each item of which has been told before."""
    return bool(task.loop) and "results" in values


def _has_warnings(result: Any) -> bool:
    """Whether a result has warnings or a traceback. Its values are not asked where there is another way.

    From ansible-core 2.19 on they are made for callbacks when they are asked for, which costs more than all else here.
    """
    if hasattr(result, "warnings"):
        return bool(result.warnings or result.deprecations or result.exception)
    return any(result._result.get(name) for name in ("warnings", "deprecations", "exception"))


def _place(result: Any) -> tuple[str, Any]:
    """Host and task of a task's result."""
    if hasattr(result, "task"):
        return result.host.get_name(), result.task
    return result._host.get_name(), result._task


def _parts(result: Any) -> tuple[str, Any, Mapping[str, Any]]:
    """Host, task and values of a task's result, which have public names from ansible-core 2.19 on."""
    return (*_place(result), result.result if hasattr(result, "result") else result._result)


def _label(result: Any) -> str:
    """The host, and where it was delegated to."""
    host, task, _values = _parts(result)
    delegated = task.delegate_to
    return f"{host} -> {delegated}" if delegated and delegated != host else str(host)
