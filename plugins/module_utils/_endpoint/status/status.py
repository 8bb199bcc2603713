# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an endpoint tells about itself (R2), as one JSON file that every user may read."""

from __future__ import annotations

import json
import syslog
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Callable

from ..._core.masking import without_secrets
from ..._core.policy.privileges import scheduled_update_runs
from ..._core.results import Component
from ..._core.settings.endpoint import EndpointDocument
from ..._core.timestamps import iso, iso_or_none
from ..._core.values import asdict, replace
from ..._host.host import Host
from ..._host.lock import locked
from .. import engine, paths
from ..endpoint import Endpoint, listens
from ..orders.record import OrderStore
from ..state.command_log import CommandLog
from ..state.report_record import ReportRecord, ReportStore
from ..state.spool import spooled
from ..state.store import ScanRecord, State
from .blackout import blackout_of

FORMAT = 1
_LOCK_WAIT_S = 60.0
_ANSWERS = 10
_OUTCOME = ("result", "kind", "reason")
_ANSWER = ("campaign", "version", "result", "reason", "started", "finished", "until", "changed")


def save_and_publish(endpoint: Endpoint, transform: Callable[[State], State], *, of_endpoint: bool = False) -> State:
    """Change a product's state, publish the status that follows from it and return the new state; raises OSError.

    On a host that is no longer enrolled, or no longer has this product, nothing is written. What is ``of_endpoint`` is
    in the state of whichever product is the first one now.
    """
    with publishing(endpoint.host):
        current = _as_it_is(endpoint, None if of_endpoint else endpoint.document.product)
        if current is None:
            return transform(endpoint.store.read())
        state = current.store.change(transform)
        _publish(current)
        return state


def publish_current(endpoint: Endpoint) -> None:
    """Publish the status as it follows from what is in force; nothing where this host has no such product any more."""
    with publishing(endpoint.host):
        current = _as_it_is(endpoint, endpoint.document.product)
        if current is not None:
            _publish(current)


def publish(endpoint: Endpoint) -> None:
    """Publish the status of an endpoint as the converge that calls has just made it.

    Whoever is not the converge may have read its document before one: that is what ``publish_current`` is for.
    """
    with publishing(endpoint.host):
        _publish(endpoint)


def publish_report(host: Host, record: ReportRecord) -> None:
    """Put what became of the newest report into the status that is published; raises OSError."""
    with publishing(host):
        told = _told(host, paths.STATUS)
        if isinstance(told, dict) and told.get("report") != record.to_result():
            _write(host, {**told, "report": record.to_result()}, paths.STATUS)


@contextmanager
def publishing(host: Host) -> Iterator[None]:
    """Let nobody else publish; one who does not come to an end is not waited for any longer."""
    with locked(host, paths.STATUS_LOCK, wait=_LOCK_WAIT_S) as held:
        if not held:
            why = f"still held by another process after {_LOCK_WAIT_S:.0f} s"
            host.log(syslog.LOG_WARNING, f"{paths.STATUS_LOCK}: {why}")
        yield


def _as_it_is(endpoint: Endpoint, product: str | None) -> Endpoint | None:
    """The endpoint as a converge may have made it since it was loaded; None where that has removed it."""
    try:
        return Endpoint.load(endpoint.host, product)
    except LookupError:
        return None
    except ValueError:  # a document that was damaged since is no better than the one that was read
        return endpoint


def _publish(endpoint: Endpoint) -> None:
    """Write the status, and the textfile where its directory exists. A failure is logged, never raised."""
    from .metrics import publish_metrics

    status, host = compose(endpoint, endpoint.store.read()), endpoint.host
    if endpoint.document.place:
        status["place"] = endpoint.document.place
    try:
        path = endpoint.at(paths.STATUS)
        told = _told(host, path)
        if told != status:
            _log_fault(endpoint, told, status)
            _write(host, status, path)
        publish_metrics(endpoint, status)
    except OSError as error:
        host.log(syslog.LOG_ERR, f"the status can't be written: {error}")


def compose(endpoint: Endpoint, state: State, *, evident: Sequence[str] = ()) -> dict[str, Any]:
    """The whole status as plain values; times are ISO 8601 in UTC. ``evident`` are errors that a check found.

    That of a further product has those keys that are a product's own.
    """
    if endpoint.document.instance:
        from .products import of_one_product

        return of_one_product(_composed(endpoint, state, evident))
    return _composed(endpoint, state, evident)


def _composed(endpoint: Endpoint, state: State, evident: Sequence[str]) -> dict[str, Any]:
    document, waiting = endpoint.document, spooled(endpoint.host, endpoint.document.instance)
    if waiting is not None:
        state = replace(state, last={**state.last, waiting[0].value: waiting[1]})
    return {
        "format": FORMAT,
        "endpoint": document.endpoint,
        "domain": document.domain,
        "ordinal": document.ordinal,
        "product": document.product,
        "scheduler": endpoint.scheduler.name,
        "user_group": document.user_group,
        "policy": _policy(document),
        "serial": None if endpoint.adopted is None else endpoint.adopted.tree.serial,
        "configuration": _configuration(endpoint, state),
        "switch": state.switch,
        "roaming": state.roaming,
        "scheduled_update": endpoint.configured and scheduled_update_runs(document.policy.privileges, state.switch),
        "components": [component.to_dict() for component in _components(endpoint)],
        "running": _running(state),
        "last": {trigger: record.to_result() for trigger, record in sorted(state.last.items())},
        "next_run": next_run_text(endpoint, state),
        "schedule_fault": endpoint.lost_timetable() or None,
        "blackout": blackout_of(endpoint),
        "selftest": _trial(state, evident),
        "probe": None if state.probe is None else state.probe.to_result(document.product),
        "scan": _scan(state.scan, due=state.scan_due),
        "report": ReportStore(endpoint.host).read().to_result(),
        **_engine(state, endpoint),
        **_orders(endpoint),
    }


def next_run(endpoint: Endpoint, state: State) -> float | None:
    """Unix seconds of the next scheduled update, None when none will run."""
    if not endpoint.configured or not scheduled_update_runs(endpoint.document.policy.privileges, state.switch):
        return None
    timetable = endpoint.timetable()
    slot = None if timetable is None else timetable.next_slot(endpoint.host.now())
    return None if slot is None else slot.at


def next_run_text(endpoint: Endpoint, state: State) -> str | None:
    """``next_run`` as ISO 8601 in UTC."""
    return iso_or_none(next_run(endpoint, state))


def _policy(document: EndpointDocument) -> dict[str, dict[str, Any]]:
    """The effective policy. What an update server publishes everybody may read; what Ansible alone has given to this
    endpoint may name a source by a customer's key."""
    policy = document.policy.to_dict()
    if document.server is None:
        policy["sources"]["urls"] = [without_secrets(url) for url in policy["sources"]["urls"]]
    return policy


def _told(host: Host, path: str) -> Any:
    try:
        return json.loads(host.read(path) or b"null")
    except ValueError:
        return None


def _write(host: Host, status: Mapping[str, Any], path: str) -> None:
    host.write(path, (json.dumps(status, indent=2, sort_keys=True) + "\n").encode(), mode=0o644)


def _log_fault(endpoint: Endpoint, told: Any, status: dict[str, Any]) -> None:
    """Log a lost timetable once."""
    before = told.get("schedule_fault") if isinstance(told, dict) else None
    if status["schedule_fault"] not in (None, before):
        endpoint.host.log(syslog.LOG_ERR, status["schedule_fault"])


def _engine(state: State, endpoint: Endpoint) -> dict[str, Any]:
    """The last update of the engine's packages, where policy wants such updates; more of it where they are staged."""
    if not engine.is_wanted(endpoint):
        return {}
    staged = engine.is_staged(endpoint)
    found: dict[str, Any] = {"engine_stream": engine.stream(endpoint.host)} if staged else {}
    if state.engine is not None:
        told = {key: one for key, one in state.engine.to_result().items() if key not in ("until", "joined")}
        found["engine"] = {**told, **_tried(state)} if staged else told
    return found


def _tried(state: State) -> dict[str, Any]:
    """The version that was tried last, and what became of that: runs after it may have ended otherwise."""
    if not state.engine_tried:
        return {}
    told = {"version": state.engine_tried, "tried": iso(state.engine_tried_at)}
    if state.engine_outcome is None:
        return told
    known = state.engine_outcome.to_result()
    return {**told, "outcome": {key: known[key] for key in _OUTCOME if key in known}}


def _orders(endpoint: Endpoint) -> dict[str, Any]:
    """What came over the message broker, and the last answers to it, where the update server uses one (L3)."""
    if not listens(endpoint.document):
        return {}
    record = OrderStore(endpoint.host).read()
    given = [one.answer for one in CommandLog(endpoint.host).taken() if one.answer is not None]
    answers = [*given, *record.postponed]
    told = [{key: one[key] for key in _ANSWER if key in one} for one in answers[-_ANSWERS:]]
    return {"orders": record.to_result(), "notices": told}


def _components(endpoint: Endpoint) -> Sequence[Component]:
    try:
        return (*endpoint.product.components(), *engine.components(endpoint))
    except OSError as error:
        endpoint.host.log(syslog.LOG_ERR, f"the components can't be read: {error}")
        return ()


def _configuration(endpoint: Endpoint, state: State) -> dict[str, Any] | None:
    """What is in force from the update server, and what became of asking it last; None on a standalone endpoint."""
    server, adopted, sync = endpoint.document.server, endpoint.adopted, state.sync
    if server is None:
        return None
    return {
        "server": server.url,
        "result": None if sync is None else sync.result,
        "reason": "" if sync is None else sync.why,
        "asked": None if sync is None else iso(sync.asked),
        "adopted": None if adopted is None else iso(adopted.at),
        "tree_serial": None if adopted is None else adopted.tree.serial,
        "shard_serial": None if adopted is None else adopted.shard.serial,
        "expires": None if adopted is None else iso(adopted.expires),
    }


def _running(state: State) -> dict[str, Any] | None:
    return None if state.running is None else {**asdict(state.running), "since": iso(state.running.since)}


def _trial(state: State, evident: Sequence[str]) -> dict[str, Any]:
    trial = state.trial
    found = () if trial is None else trial.errors
    return {"at": None if trial is None else iso(trial.at), "errors": [*found, *evident]}


def _scan(record: ScanRecord | None, *, due: bool) -> dict[str, Any]:
    if record is None:
        return {"due": due, "last": None}
    last = {
        "ok": record.ok,
        "reason": record.why,
        "started": iso(record.started),
        "finished": iso(record.finished),
        "found": record.found,
        "findings": [{"path": path, "signature": signature} for path, signature in record.findings],
    }
    return {"due": due, "last": last}
