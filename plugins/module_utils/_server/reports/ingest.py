# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take in what endpoints have reported: in batches, each of them one transaction, until the inbox is empty (R4)."""

from __future__ import annotations

import sqlite3
import syslog
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from ..._core.untrusted_text import shown
from ..._core.values import field, frozen
from ..._host.host import Host
from ..._host.lock import locked
from .. import paths
from ..database.database import open_database, transaction
from ..rollout.news import RolloutNews
from .inbox import Inbox, open_inbox
from .records import known_endpoints, refuse, sum_up_old_counts, take
from .signatures import Verify, select_verify
from .verdict import Arrival, Good, Known, Refusal, Refused, Verdict, Waiting, verdict

BATCH = 500
_LONGEST_S = 600.0
"""Whoever waits for more reports ends after this time; its next start has the program and settings of then."""
_LOOK_S = 0.2
_STUCK_S = 60.0
"""How long to wait where the inbox can't be emptied: systemd starts this again as long as it is not."""
_NAMED = 5


@frozen
class IngestReport:
    """How many reports were taken, and refused by code. ``stuck`` entries of the inbox could not be removed."""

    taken: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    stuck: int = 0

    def to_dict(self) -> dict[str, Any]:
        return {"taken": self.taken, "refused": dict(self.refused), "stuck": self.stuck}


def ingest(host: Host, *, wait: float = 0.0) -> IngestReport | None:
    """Take in all reports; None where another one is at work.

    With ``wait`` it goes on until nothing has arrived for so many seconds: then it is started once for many reports.
    Raises OSError.
    """
    with locked(host, paths.INGEST_LOCK, wait=wait) as held:
        if not held:
            return None
        with open_inbox(host) as inbox:
            if inbox is None:
                return IngestReport()
            with closing(open_database(host)) as connection:
                return _Ingest(host, connection, inbox).run(wait)


class _Ingest:
    """One run, by one database and one inbox."""

    def __init__(self, host: Host, connection: sqlite3.Connection, inbox: Inbox) -> None:
        self._host = host
        self._connection = connection
        self._inbox = inbox
        self._verify: Verify | None = None
        self._taken = 0
        self._refused: Counter[str] = Counter()
        self._named: list[str] = []
        self._news = RolloutNews(host, connection)

    def run(self, wait: float) -> IngestReport:
        sum_up_old_counts(self._connection, self._host.now())
        for names in _batches(self._inbox.interrupted()):
            self._batch([self._inbox.read(name, again=True) for name in names])
        begin = last = time.monotonic()
        while True:
            if self._empty():
                last = time.monotonic()
            silence = max(wait, _STUCK_S) if wait and self._inbox.stuck else wait
            if time.monotonic() - last >= silence or time.monotonic() - begin >= _LONGEST_S:
                break
            time.sleep(_LOOK_S)
        self._news.tell()
        self._log()
        return IngestReport(self._taken, dict(sorted(self._refused.items())), self._inbox.stuck)

    def _empty(self) -> bool:
        """Take in what is there; whether there was anything."""
        found = self._inbox.waiting()
        for names in _batches(found):
            self._batch(list(self._inbox.claim(names)))
        return bool(found)

    def _batch(self, arrivals: Sequence[Arrival]) -> None:
        names = [one.name for one in arrivals]
        known = known_endpoints(self._connection, names)
        verdicts = {one.name: self._judge(one, known) for one in arrivals}
        now = self._host.now()
        with transaction(self._connection):
            # Signatures take their time, for which the records stay open to others: what they changed is judged anew.
            current = known_endpoints(self._connection, names)
            for one in arrivals:
                if current.get(one.name) != known.get(one.name):
                    verdicts[one.name] = self._judge(one, current)
            good = {name: one for name, one in verdicts.items() if isinstance(one, Good)}
            refused = {name: one for name, one in verdicts.items() if isinstance(one, Refused)}
            take(self._connection, good, current, now)
            refuse(self._connection, refused, current, now)
        # A first converge pins the key at its end: the report that came before is judged again by the next run.
        self._inbox.drop(name for name in names if not _waits(verdicts[name]))
        self._news.taken(good)
        self._taken += len(good)
        self._refused.update(one.code.value for one in refused.values())
        self._named += [f"{name}: {one.code.value}, {one.detail}" for name, one in refused.items()][:_NAMED]

    def _judge(self, arrival: Arrival, known: Mapping[str, Known]) -> Verdict:
        if self._verify is None:  # the library costs as much as hundreds of reports
            self._verify = select_verify(self._host)
        return verdict(arrival, known.get(arrival.name), self._verify)

    def _log(self) -> None:
        """One line, where something was refused."""
        if self._refused:
            counts = ", ".join(f"{count} {code}" for code, count in sorted(self._refused.items()))
            examples = "; ".join(shown(one) for one in self._named[:_NAMED])
            self._host.log(syslog.LOG_WARNING, f"reports: {self._taken} taken; refused: {counts} ({examples})")


def _waits(one: Verdict) -> bool:
    return isinstance(one, Waiting) or (isinstance(one, Refused) and one.code is Refusal.NO_PINNED_KEY)


def _batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    yield from (names[start : start + BATCH] for start in range(0, len(names), BATCH))
