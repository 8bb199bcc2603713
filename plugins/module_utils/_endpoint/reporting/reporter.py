# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports are made, kept and sent here, one after the other (R4); none of it ever fails what it tells about."""

from __future__ import annotations

import syslog
import time
from contextlib import suppress

from ..._core.metadata.envelope import unpack
from ..._core.reports.report import MAX_SIZE, Occasion, Report
from ..._core.values import replace
from ..._core.version import VERSION
from ..._host.host import Host
from ..._host.lock import locked
from .. import paths
from ..endpoint import Endpoint
from ..state.report_record import ReportRecord, ReportStore
from ..status.status import compose, publish_report
from . import requests
from .sending import deliver
from .signing import Unsigned, sealed, signing_key

LIMIT_S = 20.0
"""How long whoever reports may be kept by it."""
_SHORTEST_S = 2.0


def report(host: Host, occasion: Occasion) -> ReportRecord:
    """Make a report and send it; returns what became of it. To be called where there is a network."""
    try:
        requests.leave(host, occasion)
    except OSError as error:
        host.log(syslog.LOG_ERR, f"no report was made: {error}")
    return catch_up(host)


def settled(host: Host) -> ReportRecord:
    """What became of the last report, once whoever makes or sends one at this moment has ended."""
    with suppress(OSError), locked(host, paths.REPORT_LOCK, wait=LIMIT_S):
        pass
    return ReportStore(host).read()


def catch_up(host: Host) -> ReportRecord:
    """Make the report that was asked for; where there is none, send the one that waits."""
    try:
        if requests.pending(host):
            _make_requested(host)
        elif ReportStore(host).read().waiting:
            with locked(host, paths.REPORT_LOCK, wait=0) as held:
                record = ReportStore(host).read()
                if held and record.waiting:  # and was not just sent by who held the lock
                    _send(Endpoint.load(host), record, host.read(paths.REPORT), limit=LIMIT_S)
    except (OSError, LookupError, ValueError) as error:
        host.log(syslog.LOG_ERR, f"no report was made or sent: {error}")
    return ReportStore(host).read()


def _make_requested(host: Host) -> None:
    """Make what was requested, and what is requested meanwhile; nothing on a host that is no longer enrolled.

    Whoever finds the lock held has written its request before, and the holder looks again after it has let go.
    """
    deadline = time.monotonic() + LIMIT_S
    if not host.exists(paths.DOCUMENT):
        host.remove(paths.REPORT_REQUEST)
    while requests.pending(host) and time.monotonic() < deadline - _SHORTEST_S:
        with locked(host, paths.REPORT_LOCK, wait=0) as held:
            if not held:
                return
            occasion = requests.take(host)
            if occasion is not None:
                endpoint = Endpoint.load(host)
                with suppress(Unsigned):  # it is on record
                    record, content = make(endpoint, occasion)
                    _send(endpoint, record, content, limit=max(_SHORTEST_S, deadline - time.monotonic()))


def make(endpoint: Endpoint, occasion: Occasion) -> tuple[ReportRecord, bytes]:
    """Make a report, under its lock, and keep it as one that waits; returns its record and its file.

    Raises Unsigned, which is kept and logged, and OSError, LookupError or ValueError.
    """
    host, before = endpoint.host, ReportStore(endpoint.host).read()
    try:
        key = signing_key(host)
        made = _composed(endpoint, occasion, after=before.sequence or _kept_sequence(host))
        content = sealed(host, made, key)
    except Unsigned as error:
        keep(host, before, replace(before, cause=error.cause, why=str(error)))
        raise
    record = replace(
        before,
        sequence=made.sequence,
        occasion=occasion.value,
        made=made.at,
        looked=before.looked if made.drift is None else made.at,
        waiting=endpoint.document.server is not None,
        configuration=str((made.status.get("configuration") or {}).get("result") or ""),
    )
    ReportStore(host).write(record)  # before anybody can have seen the number
    host.write(paths.REPORT, content, mode=0o644)
    return record, content


def _composed(endpoint: Endpoint, occasion: Occasion, *, after: int) -> Report:
    now = int(endpoint.host.now())
    drift, count = _drift(endpoint.host, occasion)
    further = [compose(one, one.store.read()) for one in endpoint.each()[1:]]
    status = compose(endpoint, endpoint.store.read())
    return Report.of_status(
        {**status, "products": further} if further else status,
        endpoint=endpoint.document.endpoint,
        sequence=max(after + 1, now),
        at=now,
        occasion=occasion,
        agent=VERSION,
        drift=drift,
        drift_count=count,
    )


def _kept_sequence(host: Host) -> int:
    """The number of the report that lies on the host, where the record is lost; 0 without one."""
    try:
        return Report.from_bytes(unpack(host.read(paths.REPORT) or b"", limit=MAX_SIZE).document).sequence
    except ValueError:
        return 0


def _send(endpoint: Endpoint, record: ReportRecord, content: bytes | None, *, limit: float) -> None:
    server, host = endpoint.document.server, endpoint.host
    if server is None or content is None:
        keep(host, record, replace(record, waiting=False, cause="", why=""))
        return
    done = deliver(host, server, endpoint.document.endpoint, content, limit=limit)
    taken = {} if done.cause else {"taken": host.now(), "waiting": False}
    keep(host, record, replace(record, cause=done.cause, why=done.why, **taken))


def keep(host: Host, before: ReportRecord, after: ReportRecord) -> None:
    """Write the record and the status, and log an obstacle once, and its end."""
    ReportStore(host).write(after)
    publish_report(host, after)
    if after.cause and after.cause != before.cause:
        host.log(syslog.LOG_WARNING, after.why)
    elif before.cause and not after.cause:
        host.log(syslog.LOG_INFO, "reports are made and taken again")


def _drift(host: Host, occasion: Occasion) -> tuple[tuple[str, ...] | None, int]:
    """What is to be mended: nothing after a converge, and what is found once a day, or where somebody asks; otherwise
    nobody looks."""
    if occasion is Occasion.CONVERGE:
        return (), 0
    if occasion not in (Occasion.DAILY, Occasion.REQUEST):
        return None, 0
    from .drift import find_drift

    try:
        return find_drift(host)
    except (OSError, LookupError, ValueError) as error:
        host.log(syslog.LOG_WARNING, f"drift could not be looked for: {error}")
        return None, 0
