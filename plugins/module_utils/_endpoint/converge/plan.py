# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a converge would do: what the host should hold and do, compared with what it holds and does now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Union

from ..._core.resources.resources import Absent, Resource
from ..._core.settings.endpoint import EndpointDocument
from ..._core.values import frozen
from ..._host.host import Host
from ..._host.reconcile import diff
from ..._host.scheduler import every_owned_path
from .. import paths
from ..endpoint import Endpoint
from ..installed import Installed
from ..jobs import OWNED, vendor_updaters
from ..privileges import all_backends
from ..products.base import missing_programs
from ..state.store import SyncRecord
from ..status.status import next_run_text
from . import groups, selftest
from .desired import Desired, desired, granted_privileges
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
    return _differences(endpoint, installed, desired(endpoint, installed, agent=None), _access(endpoint, installed))


def _differences(
    endpoint: Endpoint, installed: Installed, wanted: Desired, access: Access
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    host, entries = endpoint.host, (*wanted.entries, *access.entries)
    changes = diff(host, (*entries, *_stale_paths(endpoint, installed, entries)))
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
    changes, corrections = _differences(endpoint, installed, wanted, access)
    state, key = installed.state, host_key(host)
    return Converged(
        changes=changes,
        corrections=(*target.words, *corrections),
        next_run=next_run_text(endpoint, state),
        host_key=key,
        refusal=target.refusal,
        adoption=target.words,
        until=target.until,
        missing=missing_programs(host, endpoint.product),
        errors=(*selftest.recorded(host, state), *selftest.evident(endpoint, host_key=key)),
        obstacles=access.obstacles,
    )


def _stale_paths(endpoint: Endpoint, installed: Installed, wanted: Iterable[Resource]) -> tuple[Absent, ...]:
    """Files of other back ends, of jobs and privileges that are no longer wanted, and metrics in a former directory."""
    kept = {entry.path for entry in wanted} | {textfile(endpoint.document)}
    metrics = () if installed.document is None else (textfile(installed.document),)
    adopted = () if endpoint.document.server is not None else (paths.ADOPTED_DIRECTORY,)
    return tuple(Absent(path) for path in (*back_end_paths(endpoint.host), *metrics, *adopted) if path not in kept)


def back_end_paths(host: Host) -> tuple[str, ...]:
    """Every path that a back end may have written; privileges first, so that none outlives what it starts."""
    privileges = [path for backend in all_backends() for path in backend.owned()]
    return (*privileges, *every_owned_path(host, OWNED))


def textfile(document: EndpointDocument) -> str:
    """Where this endpoint's metrics are written."""
    return f"{document.textfile_directory}/{paths.TEXTFILE_NAME}"
