# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dispatcher: sends due deliveries within the concurrency limit, and can be stopped at any moment (N1-N4)."""

from __future__ import annotations

import queue
import syslog
import threading
from collections import Counter
from collections.abc import Callable
from datetime import tzinfo

from ..._core.rollout.delivery import Delivery, DeliveryStatus, SendOutcome, SendResult, send_timeout
from ..._core.settings.notify import NotifySettings
from ..._core.values import frozen
from ..._host.host import Host
from ..terminal.line import Watch
from ..terminal.progress import Progress
from .notifiers.base import Notifier, Response
from .queries import result_word, worst_first
from .store import CampaignStore, Dispatch

_LOOK_AGAIN_S = 1.0
"""A campaign that begins meanwhile is not to wait for the answers of another (E1); to look costs next to nothing."""
TICK_S = 30.0
START_S = 65.0
"""The dispatcher is started every minute; a slot before its next start is sent by this run (S6)."""
_PARTING_S = 2.0
"""How long responses are still collected after a stop; later ones are asked for at the next start."""


@frozen
class DispatchReport:
    """Counts of one run: deliveries sent, deliveries closed, deliveries still open."""

    sent: int = 0
    finished: int = 0
    open: int = 0


class Dispatcher:
    """Notifies endpoints; one at a time on a server (``paths.DISPATCHER_LOCK``).

    All records are kept by the thread that calls ``run``; a thread for each endpoint in flight does nothing but send
    and wait. They are daemons: no endpoint can keep the dispatcher from ending.
    """

    def __init__(
        self, host: Host, store: CampaignStore, notifier: Notifier, *, settings: NotifySettings, zone: tzinfo
    ) -> None:
        self._host = host
        self._store = store
        self._notifier = notifier
        self._settings = settings
        self._zone = zone
        self._responses: queue.SimpleQueue[tuple[Dispatch, Response] | None] = queue.SimpleQueue()
        self._in_flight: dict[str, Dispatch] = {}
        self._stopped = threading.Event()
        self._sent = self._finished = 0
        self._results: Counter[str] = Counter()
        self._ticked: float | None = None

    def stop(self) -> None:
        """End ``run`` soon; safe to call in a signal handler."""
        self._stopped.set()
        self._responses.put(None)

    def run(
        self,
        *,
        until_settled: bool = False,
        tick: Callable[[], None] = lambda: None,
        stop_when: Callable[[], bool] | None = None,
        watch: Watch | None = None,
    ) -> DispatchReport:
        """Send what is due and wait for its answers, and for the slots of the next minute; with ``until_settled`` also
        for whatever becomes due later.

        ``tick`` is called before the first look at the records, and every half minute. ``stop_when`` is asked every
        second, and ends the run. ``watch`` learns how far the run is, every second at least.
        """
        self._store.clamp_deadlines(self._host.now(), self._settings.limits)
        asked = self._store.resume_after_restart(self._host.now())
        if asked:
            self._host.log(syslog.LOG_NOTICE, f"notify: {asked} deliveries were in flight; their endpoints are asked")
        while not self._stopped.is_set() and not (stop_when and stop_when()):
            self._tick(tick)
            wake = self._send_due()
            if watch is not None:
                watch(lambda: self._progress(until_settled=until_settled))
            if not self._in_flight and not self._should_wait(wake, until_settled=until_settled):
                break
            self._collect(_LOOK_AGAIN_S if wake is None else min(_LOOK_AGAIN_S, wake - self._host.now()))
        self._drain()
        return DispatchReport(self._sent, self._finished, self._store.count_open())

    def _tick(self, tick: Callable[[], None]) -> None:
        now = self._host.now()
        if self._ticked is None or not 0 <= now - self._ticked < TICK_S:
            tick()
            self._ticked = now

    def _should_wait(self, wake: float | None, *, until_settled: bool) -> bool:
        """Whether to wait with nothing in flight; ``wake`` is when the next delivery is due."""
        if wake is None or until_settled:
            return wake is not None
        return self._store.has_slot(wake, self._host.now() + START_S)

    def _progress(self, *, until_settled: bool) -> Progress:
        """How many deliveries this run has closed, of those and all that it is to close as far as is known."""
        left = self._store.count_open() if until_settled else self._store.count_due(self._host.now())
        return Progress("notify", self._finished, self._finished + left, worst_first(self._results))

    def _send_due(self) -> float | None:
        now = self._host.now()
        cap = self._settings.caps.at(now, self._zone)
        dispatches, wake = self._store.next_dispatches(now=now, cap=cap, busy=self._in_flight.keys())
        for dispatch in dispatches:
            self._in_flight[dispatch.delivery.endpoint] = dispatch
            self._sent += 1
            name = f"notify {dispatch.delivery.endpoint}"
            threading.Thread(target=self._send, args=(dispatch, now), name=name, daemon=True).start()
        return wake

    def _send(self, dispatch: Dispatch, now: float) -> None:
        """Send and wait, in a thread of its own. The dispatcher gets a response in any case."""
        response = Response(SendOutcome(SendResult.NO_REPLY, reason="the notifier failed"))
        try:
            limit = send_timeout(dispatch.delivery, now, self._settings.limits)
            response = self._notifier.notify(dispatch.target, dispatch.command, timeout=limit)
        except Exception as error:  # noqa: BLE001  # one endpoint's trouble is no reason to stop the others
            response = Response(SendOutcome(SendResult.NO_REPLY, reason=f"the notifier failed: {error!r}"))
        finally:
            self._responses.put((dispatch, response))

    def _collect(self, longest: float) -> None:
        """Wait for a response, then process all that have arrived."""
        try:
            item = self._responses.get(timeout=max(0.0, longest))
            while True:
                if item is not None:
                    self._record(*item)
                item = self._responses.get_nowait()
        except queue.Empty:
            pass

    def _record(self, dispatch: Dispatch, response: Response) -> None:
        del self._in_flight[dispatch.delivery.endpoint]
        after = self._store.record_response(dispatch, response, now=self._host.now(), limits=self._settings.limits)
        if not after.status.open:
            self._finished += 1
            self._results[result_word(after.status, after.result)] += 1
        if response.outcome.send_result is SendResult.ACKNOWLEDGED:
            # A sign of life: the endpoint's other deliveries are due at once.
            self._store.mark_reachable(after.endpoint, self._host.now())
        self._host.log(_LEVELS.get(response.outcome.send_result, syslog.LOG_INFO), _sentence(dispatch, after))

    def _drain(self) -> None:
        """Process responses that arrive soon; the rest stays recorded as in flight."""
        deadline = self._host.now() + _PARTING_S
        while self._in_flight and self._host.now() < deadline:
            self._collect(deadline - self._host.now())


_LEVELS = {
    SendResult.HOST_KEY_CHANGED: syslog.LOG_ERR,
    SendResult.REFUSED: syslog.LOG_ERR,
    SendResult.NO_REPLY: syslog.LOG_WARNING,
}


def _sentence(dispatch: Dispatch, after: Delivery) -> str:
    parts = [f"notify {after.endpoint}: {dispatch.command.campaign} {after.status.value}", after.result, after.reason]
    if after.status is DeliveryStatus.RETRYING:
        parts.append(f"try {after.tries} failed")
    return "; ".join(part for part in parts if part)
