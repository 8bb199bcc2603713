# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine: sends what is due, as many at once as the cap allows, and can be ended at any moment (N1-N4)."""

from __future__ import annotations

import queue
import syslog
import threading
from collections.abc import Callable
from datetime import tzinfo

from ..._core.rollout.delivery import Heard, Notice, Reply, Stage, patience
from ..._core.settings.notify import NotifySettings
from ..._core.values import frozen
from ..._host.host import Host
from .notifiers.base import Notifier, Told
from .store import CampaignStore, Errand

_LOOK_AGAIN_S = 1.0
"""A campaign that begins meanwhile is not to wait for the answers of another (E1); to look costs next to nothing."""
_TICK_S = 30.0
_START_S = 65.0
"""The engine is started every minute. What comes before its next start, and can't wait for it, is this one's (S6)."""
_PARTING_S = 2.0
"""How long answers are still taken when the engine is told to stop; what comes later is asked for at the next start."""


@frozen
class EngineReport:
    """What one run of the engine did: sendings begun, notices settled by it, and what is still open."""

    sent: int = 0
    done: int = 0
    left: int = 0


class Engine:
    """Notifies endpoints; one at a time on a server (``paths.ENGINE_LOCK``).

    All records are kept by the thread that calls ``run``; a thread for each endpoint in flight does nothing but send
    and wait. They are daemons: no endpoint can keep the engine from ending.
    """

    def __init__(
        self, host: Host, store: CampaignStore, notifier: Notifier, *, settings: NotifySettings, zone: tzinfo
    ) -> None:
        self._host = host
        self._store = store
        self._notifier = notifier
        self._settings = settings
        self._zone = zone
        self._answers: queue.SimpleQueue[tuple[Errand, Told] | None] = queue.SimpleQueue()
        self._listening: dict[str, Errand] = {}
        self._stopped = threading.Event()
        self._sent = self._done = 0
        self._ticked: float | None = None

    def stop(self) -> None:
        """Let ``run`` return soon; may be called by a signal handler."""
        self._stopped.set()
        self._answers.put(None)

    def run(
        self,
        *,
        until_settled: bool = False,
        tick: Callable[[], None] = lambda: None,
        enough: Callable[[], bool] | None = None,
    ) -> EngineReport:
        """Send what is due and wait for its answers, and for the slots of the next minute; with ``until_settled`` also
        for whatever becomes due later.

        ``tick`` is called before the first look at the records, and every half minute. ``enough`` is asked every
        second, and ends the run.
        """
        self._store.bound(self._host.now(), self._settings.limits)
        asked = self._store.interrupted(self._host.now())
        if asked:
            self._host.log(syslog.LOG_NOTICE, f"notify: {asked} notices were in flight; their endpoints are asked")
        while not self._stopped.is_set() and not (enough and enough()):
            self._tick(tick)
            wake = self._send_due()
            if not self._listening and not self._stays(wake, until_settled=until_settled):
                break
            self._hear(_LOOK_AGAIN_S if wake is None else min(_LOOK_AGAIN_S, wake - self._host.now()))
        self._part()
        return EngineReport(self._sent, self._done, self._store.open())

    def _tick(self, tick: Callable[[], None]) -> None:
        now = self._host.now()
        if self._ticked is None or not 0 <= now - self._ticked < _TICK_S:
            tick()
            self._ticked = now

    def _stays(self, wake: float | None, *, until_settled: bool) -> bool:
        """Whether to wait though nobody is listened to; ``wake`` is when there is something to do again."""
        if wake is None or until_settled:
            return wake is not None
        return self._store.slots(wake, self._host.now() + _START_S)

    def _send_due(self) -> float | None:
        now = self._host.now()
        cap = self._settings.caps.at(now, self._zone)
        errands, wake = self._store.step(now=now, cap=cap, busy=self._listening.keys())
        for errand in errands:
            self._listening[errand.notice.endpoint] = errand
            self._sent += 1
            name = f"notify {errand.notice.endpoint}"
            threading.Thread(target=self._send, args=(errand, now), name=name, daemon=True).start()
        return wake

    def _send(self, errand: Errand, now: float) -> None:
        """In a thread of its own: send and wait. Whatever happens, the engine hears of it."""
        told = Told(Reply(Heard.LOST, why="the notifier broke"))
        try:
            limit = patience(errand.notice, now, self._settings.limits)
            told = self._notifier.notify(errand.target, errand.order, patience=limit)
        except Exception as error:  # noqa: BLE001  # one endpoint's trouble is no reason to stop the others
            told = Told(Reply(Heard.LOST, why=f"the notifier broke: {error!r}"))
        finally:
            self._answers.put((errand, told))

    def _hear(self, longest: float) -> None:
        """Wait for an answer, then take all that have come."""
        try:
            item = self._answers.get(timeout=max(0.0, longest))
            while True:
                if item is not None:
                    self._settle(*item)
                item = self._answers.get_nowait()
        except queue.Empty:
            pass

    def _settle(self, errand: Errand, told: Told) -> None:
        del self._listening[errand.notice.endpoint]
        after = self._store.heard(errand, told, now=self._host.now(), limits=self._settings.limits)
        self._done += not after.stage.open
        if told.reply.heard is Heard.REPORTED:  # a sign of life: what else waits for this endpoint waits no longer
            self._store.returned(after.endpoint, self._host.now())
        self._host.log(_LEVELS.get(told.reply.heard, syslog.LOG_INFO), _sentence(errand, after))

    def _part(self) -> None:
        """Take the answers that are about to come; the rest is on record as in flight."""
        deadline = self._host.now() + _PARTING_S
        while self._listening and self._host.now() < deadline:
            self._hear(deadline - self._host.now())


_LEVELS = {
    Heard.HOST_KEY: syslog.LOG_ERR,
    Heard.REFUSED: syslog.LOG_ERR,
    Heard.LOST: syslog.LOG_WARNING,
}


def _sentence(errand: Errand, after: Notice) -> str:
    parts = [f"notify {after.endpoint}: {errand.order.campaign} {after.stage.value}", after.result, after.why]
    if after.stage is Stage.RETRY:
        parts.append(f"try {after.tries} failed")
    return "; ".join(part for part in parts if part)
