# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask endpoints for their reports by notices, where the web server takes none (R4).

What an endpoint answers lies in the inbox then, as if the web server had put it there, and is believed no more than
that. Nobody is asked in the places that notices need (N1).
"""

from __future__ import annotations

import json
import queue
import sqlite3
import syslog
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import tzinfo

from ..._core.results import Result
from ..._core.rollout.command import REPORT
from ..._core.rollout.delivery import SendResult
from ..._core.settings.notify import NotifySettings
from ..._core.values import frozen
from ..._host.host import Host
from ..._host.local_host import LocalHost
from ..._host.lock import locked
from .. import paths
from ..campaigns.notifiers.base import Notifier, ReportAnswer, Target
from ..campaigns.notify import ready_notifier
from ..campaigns.store import CampaignStore
from ..database.database import open_database
from ..settings import limits_zone, notify_settings
from ..terminal.line import Watch
from ..terminal.progress import Progress
from .inbox import deliver
from .ingest import ingest
from .records import TAKEN, known_endpoints, refusal_since

DUE_S = 25 * 3600.0
"""An endpoint reports once a day by itself; whose report was taken longer ago is asked."""
NOT_ASKED, NOT_JUDGED = "not_asked", "not_judged"
_ANSWER_S = 60.0
_LOOK_S = 0.5
_INTAKE_S = 120.0
_NAMED = 5
NO_FAULT = (TAKEN, Result.SKIPPED.value, SendResult.NOT_REACHED.value)
"""What is as it should be: also that an endpoint is off, or roams."""


@frozen
class Asked:
    """What became of asking one endpoint: ``taken``, why its report was refused, or why there is none."""

    name: str
    result: str
    reason: str = ""


@frozen
class AskReport:
    """What became of asking some endpoints."""

    endpoints: tuple[Asked, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many have each result, failures first."""
        found = Counter(one.result for one in self.endpoints)
        return {word: found[word] for word in sorted(found, key=lambda word: (_rank(word), word))}

    @property
    def failed(self) -> tuple[Asked, ...]:
        return tuple(one for one in self.endpoints if one.result not in NO_FAULT)


def due(connection: sqlite3.Connection, now: float) -> list[str]:
    """Who has an address, and has not reported since ``DUE_S``, nor in the future of a clock that was wrong."""
    select = (
        "SELECT name FROM endpoints LEFT JOIN endpoint_reports ON endpoint = name WHERE coalesce(address, '') <> ''"
        " AND NOT coalesce(received BETWEEN ? AND ?, 0) ORDER BY received, name"
    )
    return [row["name"] for row in connection.execute(select, (now - DUE_S, now))]


def ask(host: LocalHost, names: Sequence[str], *, timeout: float, watch: Watch | None = None) -> AskReport | None:
    """Ask these endpoints, ``timeout`` seconds at most, and take their reports in; None where another one asks.

    ``watch`` learns how far it is. Raises OSError.
    """
    with locked(host, paths.ASK_LOCK, wait=0) as held:
        if not held:
            return None
        settings = notify_settings(host)
        with closing(open_database(host)) as connection:
            before, begin = _sequences(connection, names), host.now()
            asking = _Asking(host, connection, ready_notifier(host, settings), settings, time.monotonic() + timeout)
            asking.run(_targets(connection, names), watch)
            given = [one.name for one in asking.answered if one.result == REPORT]
            complete = not given or _take_in(host)
            after = _sequences(connection, given)
            made = []
            for one in asking.answered:
                if one.result != REPORT:
                    made.append(one)
                elif after.get(one.name, 0) > before.get(one.name, 0):
                    made.append(Asked(one.name, TAKEN))
                else:
                    made.append(Asked(one.name, *_why(connection, one.name, begin, complete=complete)))
        report = AskReport(tuple(sorted(made, key=lambda one: one.name)))
        _log(host, report)
        return report


class _Asking:
    """One run. A thread for each endpoint that is asked does nothing but ask and wait, as those of the dispatcher."""

    def __init__(
        self,
        host: Host,
        connection: sqlite3.Connection,
        notifier: Notifier,
        settings: NotifySettings,
        deadline: float,
    ) -> None:
        self._host = host
        self._store = CampaignStore(connection)
        self._notifier = notifier
        self._settings = settings
        self._zone: tzinfo = limits_zone(host, settings)
        self._deadline = deadline
        self._answers: queue.SimpleQueue[tuple[str, ReportAnswer]] = queue.SimpleQueue()
        self._open: set[str] = set()
        self.answered: list[Asked] = []

    def run(self, targets: Sequence[Target], watch: Watch | None) -> None:
        """Ask all of them; who could not be asked in time is told as such."""
        left, total = list(reversed(targets)), len(targets)
        while (left or self._open) and time.monotonic() < self._deadline:
            for _place in range(min(len(left), self._free())):
                self._start(left.pop())
            if watch is not None:
                watch(
                    lambda: Progress("ask-reports", len(self.answered), total, AskReport(tuple(self.answered)).counts)
                )
            self._collect()
        late = ((name, SendResult.NO_REPLY.value, "no answer in time") for name in self._open)
        never = ((one.endpoint, NOT_ASKED, "the time was over") for one in left)
        self.answered += [Asked(*one) for one in (*late, *never)]

    def _free(self) -> int:
        """How many more may be asked now: in flight are those of notices, too."""
        cap = self._settings.caps.at(self._host.now(), self._zone)
        return max(0, cap - self._store.count_in_flight() - len(self._open))

    def _start(self, target: Target) -> None:
        self._open.add(target.endpoint)
        threading.Thread(target=self._ask, args=(target,), name=f"ask {target.endpoint}", daemon=True).start()

    def _ask(self, target: Target) -> None:
        answer = ReportAnswer(SendResult.NO_REPLY.value, "the notifier failed")
        try:
            limit = max(1.0, min(_ANSWER_S, self._deadline - time.monotonic()))
            answer = self._notifier.ask_report(target, timeout=limit)
        except Exception as error:  # noqa: BLE001  # one endpoint's trouble is no reason to stop the others
            answer = ReportAnswer(SendResult.NO_REPLY.value, f"the notifier failed: {error!r}")
        finally:
            self._answers.put((target.endpoint, answer))

    def _collect(self) -> None:
        """Wait for an answer, and put all that have come into the inbox."""
        wait = _LOOK_S
        while True:
            try:
                name, answer = self._answers.get(timeout=wait)
            except queue.Empty:
                return
            self._open.discard(name)
            if answer.result == REPORT:
                deliver(self._host, name, answer.content)
            self.answered.append(Asked(name, answer.result, answer.reason))
            wait = 0


def _targets(connection: sqlite3.Connection, names: Sequence[str]) -> list[Target]:
    select = "SELECT name, address, host_key FROM endpoints WHERE name IN (SELECT value FROM json_each(?))"
    known = {row["name"]: row for row in connection.execute(select, (json.dumps(list(names)),))}
    rows = (known[name] for name in dict.fromkeys(names) if name in known)
    return [Target(row["name"], row["address"] or "", row["host_key"] or "") for row in rows]


def _sequences(connection: sqlite3.Connection, names: Sequence[str]) -> dict[str, int]:
    return {name: one.sequence for name, one in known_endpoints(connection, names).items()}


def _take_in(host: Host) -> bool:
    """Take in what lies in the inbox, also where the arrival has started another intake; whether one has ended."""
    deadline = time.monotonic() + _INTAKE_S
    while ingest(host) is None:
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_S)
    return True


def _why(connection: sqlite3.Connection, name: str, begin: float, *, complete: bool) -> tuple[str, str]:
    """Why a report was not taken."""
    refused = refusal_since(connection, name, begin)
    if refused is not None:
        return refused
    return NOT_JUDGED, "nothing is on record of it" if complete else "another intake is still at work"


def _rank(word: str) -> int:
    return NO_FAULT[::-1].index(word) + 1 if word in NO_FAULT else 0


def _log(host: Host, report: AskReport) -> None:
    """One line, where anybody was asked."""
    if report.endpoints:
        failed = report.failed
        named = "; ".join(f"{one.name}: {one.result}, {one.reason}" for one in failed[:_NAMED])
        host.log(
            syslog.LOG_WARNING if failed else syslog.LOG_INFO,
            f"reports: {len(report.endpoints)} endpoints asked: {words(report)}{f' ({named})' if named else ''}",
        )


def words(report: AskReport) -> str:
    """The results in numbers."""
    return ", ".join(f"{count} {word.replace('_', ' ')}" for word, count in report.counts.items())
