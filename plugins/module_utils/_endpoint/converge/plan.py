# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a converge would do: what the host should hold and do, compared with what it holds and does now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Union

from ..._core.resources.resources import Absent, Resource
from ..._core.values import frozen
from ..._host.host import Host
from ..._host.reconcile import diff
from ..._host.scheduler import every_owned_path
from ..._host.scheduler.base import Owned
from .. import paths
from ..endpoint import Endpoint, listens
from ..installed import Installed
from ..jobs import vendor_updaters
from ..orders.obstacles import obstacles as cannot_listen
from ..privileges import all_backends
from ..products.base import missing_programs
from ..state.store import State, SyncRecord
from ..status.status import next_run_text
from . import groups, places, selftest
from .desired import Desired, desired, granted_privileges
from .former import textfiles
from .machine import host_key
from .result import Converged

if TYPE_CHECKING:
    from ..._core.resources.diff import Change
    from ..notify_access.authorized_keys import Access
    from .enroll import ManagedTarget


@frozen
class StandaloneTarget:
    """An endpoint that has nothing to adopt."""

    endpoint: Endpoint
    words: tuple[str, ...] = ()
    record: SyncRecord | None = None
    refusal: tuple[str, str] | None = None
    until: float | None = None

    @contextmanager
    def adopting(self) -> Iterator[None]:
        yield


Target = Union["ManagedTarget", StandaloneTarget]
"""What a converge of a managed endpoint, and of a standalone one, begins with."""


@frozen
class Plan:
    """What a converge of ``endpoint`` would do, and what it would report (``result``)."""

    endpoint: Endpoint
    wanted: Desired
    access: Access
    result: Converged


def plan(target: Target, installed: Installed, *, agent: bytes | None) -> Plan:
    """Compare the endpoint's host with what its document asks for; nothing is written. Raises OSError, LookupError."""
    endpoint = target.endpoint
    wanted, access = desired(endpoint, installed, agent=agent), _access(endpoint, installed)
    return Plan(endpoint, wanted, access, _compared(target, installed, wanted, access))


def _access(endpoint: Endpoint, installed: Installed) -> Access:
    """What the update server's way in has to become (N5); only on an endpoint that has, or had, such a server."""
    from ..notify_access.authorized_keys import Access, access

    host, previous = endpoint.host, installed.document
    if endpoint.document.server is None and (previous is None or previous.server is None):
        return Access()
    return access(host, endpoint.document, previous, sudo=endpoint.scheduler.name == "cron")


def differences(endpoint: Endpoint, installed: Installed) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """What is otherwise than the endpoint's document asks for, but for the agent: paths, and the rest in words.

    Nothing else is looked at. Raises OSError or LookupError.
    """
    return _differences(endpoint, desired(endpoint, installed, agent=None), _access(endpoint, installed))


def _differences(endpoint: Endpoint, wanted: Desired, access: Access) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    host, entries = endpoint.host, (*wanted.entries, *access.entries)
    changes = diff(host, (*entries, *_stale_paths(endpoint, wanted, entries)))
    corrections = (
        *vendor_updaters.drift(host, endpoint.scheduler, wanted.jobs, wanted.plan.beside),
        *(f"{name} is started again" for name in wanted.resumed),
        *groups.missing(host, granted_privileges(endpoint.document)),
        *access.corrections,
    )
    return (*changes, *(edit.change for edit in access.edits)), corrections


def _compared(target: Target, installed: Installed, wanted: Desired, access: Access) -> Converged:
    """What is otherwise than wanted, and what would be done about it."""
    endpoint, host = target.endpoint, target.endpoint.host
    changes, corrections = _differences(endpoint, wanted, access)
    state, key = installed.state, host_key(host)
    return Converged(
        changes=changes,
        corrections=(*target.words, *corrections, *places.unfinished(installed, endpoint.document)),
        next_run=_next_run(endpoint, state),
        host_key=key,
        refusal=target.refusal,
        adoption=target.words,
        until=target.until,
        missing=tuple(dict.fromkeys(name for one in endpoint.each() for name in missing_programs(host, one.product))),
        errors=(*selftest.recorded_of(endpoint, state), *selftest.evident(endpoint, host_key=key)),
        obstacles=(*access.obstacles, *cannot_listen(host, endpoint.document)),
        other_updaters=wanted.other_updaters,
    )


def _next_run(endpoint: Endpoint, state: State) -> str | None:
    """The next scheduled update, of whichever product."""
    runs = [next_run_text(endpoint, state), *(next_run_text(one, one.store.read()) for one in endpoint.each()[1:])]
    return min((one for one in runs if one is not None), default=None)


def _stale_paths(endpoint: Endpoint, wanted: Desired, entries: Iterable[Resource]) -> tuple[Absent, ...]:
    """Files of other back ends, of jobs and privileges that are no longer wanted, and what former products leave; last
    their states, by which it is known that there is something of them."""
    kept = {entry.path for entry in entries} | set(textfiles(endpoint.document))
    adopted = () if endpoint.document.server is not None else (paths.ADOPTED_DIRECTORY,)
    orders = () if listens(endpoint.document) else (paths.ORDERS,)
    found = (*back_end_paths(endpoint.host, endpoint.owned), *wanted.former, *adopted, *orders, *wanted.former_states)
    return tuple(Absent(path) for path in dict.fromkeys(found) if path not in kept)


def back_end_paths(host: Host, owned: Owned) -> tuple[str, ...]:
    """Every path that a back end may have written; privileges first, so that none outlives what it starts."""
    privileges = [path for backend in all_backends() for path in backend.owned()]
    return (*privileges, paths.APT_PIN, *every_owned_path(host, owned))
