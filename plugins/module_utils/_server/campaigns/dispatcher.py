# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dispatcher: sends due deliveries within the concurrency limit, and can be stopped at any moment (N1-N4)."""

from __future__ import annotations

import queue
import syslog
import threading
from datetime import tzinfo

from ..._core.rollout.delivery import Delivery, DeliveryStatus, SendOutcome, SendResult, send_timeout
from ..._core.settings.notify import NotifySettings
from ..._host.host import Host
from .loop import LOOK_AGAIN_S, START_S, DispatchLoop
from .notifiers.base import Notifier, Response
from .store import CampaignStore, Dispatch

_PARTING_S = 2.0
"""How long responses are still collected after a stop; later ones are asked for at the next start."""


class Dispatcher(DispatchLoop[CampaignStore]):
    """Notifies endpoints one by one.

    All records are kept by the thread that calls ``run``; a thread for each endpoint in flight does nothing but send
    and wait. They are daemons: no endpoint can keep the dispatcher from ending.
    """

    def __init__(
        self, host: Host, store: CampaignStore, notifier: Notifier, *, settings: NotifySettings, zone: tzinfo
    ) -> None:
        super().__init__(host, store, settings=settings, zone=zone)
        self._notifier = notifier
        self._responses: queue.SimpleQueue[tuple[Dispatch, Response] | None] = queue.SimpleQueue()
        self._in_flight: dict[str, Dispatch] = {}
        self._wake: float | None = None

    def stop(self) -> None:
        super().stop()
        self._responses.put(None)

    def _begin(self) -> None:
        asked = self._store.resume_after_restart(self._host.now())
        if asked:
            self._host.log(syslog.LOG_NOTICE, f"notify: {asked} deliveries were in flight; their endpoints are asked")

    def _should_wait(self, *, until_settled: bool) -> bool:
        if self._in_flight:
            return True
        if self._wake is None or until_settled:
            return self._wake is not None
        return self._store.has_slot(self._wake, self._host.now() + START_S)

    def _wait(self) -> None:
        self._collect(LOOK_AGAIN_S if self._wake is None else min(LOOK_AGAIN_S, self._wake - self._host.now()))

    def _step(self) -> None:
        now = self._host.now()
        dispatches, self._wake = self._store.next_dispatches(now=now, cap=self._cap(now), busy=self._in_flight.keys())
        for dispatch in dispatches:
            self._in_flight[dispatch.delivery.endpoint] = dispatch
            self._sent += 1
            name = f"notify {dispatch.delivery.endpoint}"
            threading.Thread(target=self._send, args=(dispatch, now), name=name, daemon=True).start()

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
        self._close(after)
        if response.outcome.send_result is SendResult.ACKNOWLEDGED:
            # A sign of life: the endpoint's other deliveries are due at once.
            self._store.mark_reachable(after.endpoint, self._host.now())
        self._host.log(_LEVELS.get(response.outcome.send_result, syslog.LOG_INFO), _sentence(dispatch, after))

    def _end(self) -> None:
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
