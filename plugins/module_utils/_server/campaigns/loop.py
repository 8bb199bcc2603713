# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The loop of a dispatcher: it does what is due, looks again, and can be stopped at any moment (N4)."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from datetime import tzinfo
from typing import Generic, TypeVar

from ..._core.rollout.delivery import Delivery
from ..._core.settings.notify import NotifySettings
from ..._core.values import frozen
from ..._host.host import Host
from ..terminal.line import Watch
from ..terminal.progress import Progress
from .queries import result_word, worst_first
from .store import CampaignStore

LOOK_AGAIN_S = 1.0
"""A campaign that begins meanwhile is not to wait for the answers of another (E1); to look costs next to nothing."""
START_S = 65.0
"""The dispatcher is started every minute; a slot before its next start is sent by this run (S6)."""
_TICK_S = 30.0

Store = TypeVar("Store", bound=CampaignStore)


@frozen
class DispatchReport:
    """Counts of one run: deliveries sent, deliveries closed, deliveries still open."""

    sent: int = 0
    finished: int = 0
    open: int = 0


class DispatchLoop(ABC, Generic[Store]):
    """What dispatchers have in common; one of them at a time on a server (``paths.DISPATCHER_LOCK``)."""

    def __init__(self, host: Host, store: Store, *, settings: NotifySettings, zone: tzinfo) -> None:
        self._host = host
        self._store = store
        self._settings = settings
        self._zone = zone
        self._stopped = threading.Event()
        self._sent = self._finished = 0
        self._results: Counter[str] = Counter()
        self._ticked: float | None = None

    def stop(self) -> None:
        """End ``run`` soon; safe to call in a signal handler."""
        self._stopped.set()

    def run(
        self,
        *,
        until_settled: bool = False,
        tick: Callable[[], None] = lambda: None,
        stop_when: Callable[[], bool] | None = None,
        watch: Watch | None = None,
    ) -> DispatchReport:
        """Do what is due, and what becomes due in the slots of the next minute; with ``until_settled`` also whatever
        becomes due later.

        ``tick`` is called before the first look at the records, and every half minute. ``stop_when`` is asked every
        second, and ends the run. ``watch`` learns how far the run is, every second at least.
        """
        self._store.clamp_deadlines(self._host.now(), self._settings.limits)
        self._begin()
        while not self._stopped.is_set() and not (stop_when and stop_when()):
            self._tick(tick)
            self._step()
            if watch is not None:
                watch(lambda: self._progress(until_settled=until_settled))
            if not self._should_wait(until_settled=until_settled):
                break
            self._wait()
        self._end()
        return DispatchReport(self._sent, self._finished, self._store.count_open())

    def _progress(self, *, until_settled: bool) -> Progress:
        """How many deliveries this run has closed, of those and all that it is to close as far as is known."""
        left = self._store.count_open() if until_settled else self._store.count_due(self._host.now())
        return Progress("notify", self._finished, self._finished + left, worst_first(self._results))

    def _close(self, after: Delivery) -> None:
        """Count a delivery, if it is closed now."""
        if not after.status.open:
            self._finished += 1
            self._results[result_word(after.status, after.result)] += 1

    def _tick(self, tick: Callable[[], None]) -> None:
        now = self._host.now()
        if self._ticked is None or not 0 <= now - self._ticked < _TICK_S:
            tick()
            self._ticked = now

    def _cap(self, now: float) -> int:
        return self._settings.caps.at(now, self._zone)

    def _begin(self) -> None:
        """What is done once, before the first step."""

    @abstractmethod
    def _step(self) -> None:
        """Do what is due now."""

    @abstractmethod
    def _should_wait(self, *, until_settled: bool) -> bool:
        """Whether there is anything to wait for."""

    @abstractmethod
    def _wait(self) -> None:
        """Wait until there may be something to do."""

    def _end(self) -> None:
        """What is done once, after the last step."""
