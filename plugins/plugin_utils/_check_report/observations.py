# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Collects what a run tells of its hosts, task by task, and makes the report of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.masking import without_secrets
from ansible_collections.epp.autoupdate.plugins.plugin_utils._check_report.allowance import Allowance, UnknownName
from ansible_collections.epp.autoupdate.plugins.plugin_utils._check_report.report import (
    Cause,
    HostReport,
    Report,
    ReportedFault,
    State,
    host_report,
    read_drift,
)
from ansible_collections.epp.autoupdate.plugins.plugin_utils._drift import Drift
from ansible_collections.epp.autoupdate.plugins.plugin_utils._groups import ENDPOINTS, SERVERS

NOT_ENDED = "the run has not ended: it is still going on, or was interrupted"
_ROLES = {SERVERS: "server", ENDPOINTS: "endpoint"}
_POLICY_REFUSED = "the policy of this run is refused"


class Observations:
    """What was seen so far. ``started`` is an instant as text."""

    def __init__(self, started: str) -> None:
        self._started = started
        self._compared: dict[str, tuple[Drift, ...]] = {}
        self._unreachable: dict[str, str] = {}
        self._failed: dict[str, ReportedFault] = {}
        self._faults: list[ReportedFault] = []
        self._policy: bool | None = None

    @property
    def any(self) -> bool:
        """Whether a host was compared."""
        return bool(self._compared)

    def compared(self, host: str, result: Mapping[str, Any]) -> None:
        """Note the result of the module ``drift``; what happened to the host before it is settled by that."""
        self._compared[host] = read_drift(result)
        self._unreachable.pop(host, None)

    def unreachable(self, host: str, reason: str) -> None:
        self._unreachable[host] = without_secrets(reason.strip())

    def policy_checked(self, faults: Iterable[Mapping[str, Any]] = ()) -> None:
        """Note the result of the module ``preflight``: its faults, or that there are none."""
        found = [
            ReportedFault(one["text"], Cause.POLICY, tuple(one["hosts"]), file=one["file"] or "", line=one["line"])
            for one in faults
        ]
        self._faults += found
        self._policy = not found and self._policy is not False

    def failed(self, host: str, task: str, text: str) -> None:
        """Note a task that failed and was not to be ignored; the first one of a host tells why it was not compared."""
        self._failed.setdefault(host, ReportedFault(without_secrets(text), Cause.HOST, (host,), task))

    def report(
        self,
        hosts: Iterable[str],
        groups: Mapping[str, Collection[str]],
        allowance: Allowance,
        finished: str | None,
    ) -> Report:
        """The report of a run over these hosts; ``finished`` is None for one that has not ended."""
        names = sorted({*hosts, *self._compared, *self._unreachable, *self._failed})
        found = [self._host(name, _roles(name, groups)) for name in names]
        unreachable = [host.name for host in found if host.state is State.UNREACHABLE]
        excused = allowance.excused(unreachable, len(found), groups)
        faulty = [host for host in found if host.state is State.FAULTY and host.name not in self._failed]
        faults = [
            *self._faults,
            *self._failed.values(),
            *(ReportedFault(host.reason, Cause.HOST, (host.name,)) for host in faulty),
        ]
        faults += _misread(allowance, groups)
        if finished is None:
            faults.append(ReportedFault(NOT_ENDED, Cause.RUN))
        elif not found and not faults:
            faults.append(ReportedFault("no host was compared", Cause.RUN))
        told = tuple(replace(host, allowed=host.name in excused) for host in found)
        return Report(self._started, finished, told, tuple(faults), self._policy)

    def _host(self, name: str, roles: tuple[str, ...]) -> HostReport:
        if name in self._failed:
            return HostReport(name, roles, State.FAULTY, reason=self._failed[name].text)
        if name in self._unreachable:
            return HostReport(name, roles, State.UNREACHABLE, reason=self._unreachable[name])
        if name in self._compared:
            return host_report(name, roles, self._compared[name])
        reason = _POLICY_REFUSED if self._policy is False else "the run ended before"
        return HostReport(name, roles, State.NOT_COMPARED, reason=reason)


def _roles(host: str, groups: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    return tuple(role for group, role in _ROLES.items() if host in groups.get(group, ()))


def _misread(allowance: Allowance, groups: Mapping[str, Collection[str]]) -> Iterable[ReportedFault]:
    """The fault of a setting that names what there is not."""
    try:
        allowance.check({*groups, *groups.get("all", ())})
    except UnknownName as unknown:
        yield ReportedFault(str(unknown), Cause.RUN)
