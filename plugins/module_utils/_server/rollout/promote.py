# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The promotion job: publish what was fetched to the first ring, decide about all rings, and bring it about (G2, G4).

Everything that is decided is one transaction; what follows from it (channels, catalog, notices, audit) is made from the
records alone. So a job that is killed anywhere is finished by the next one, and nothing is decided twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ..._core.rings.decide import Event
from ..._core.rings.engines import Track
from ..._core.settings.endpoint_keys import ProductKind
from ..._core.values import frozen
from ..._host.host import Host
from ..._host.lock import exclusively
from .. import paths
from ..audit.changes import record_published
from ..channels import store
from ..channels.staged import published_products, select_channels
from ..components.configured import rollout_settings
from ..database.database import transaction
from ..publication.publish import publication_lock, publish_catalog
from .decisions import note_decisions
from .engine_job import engine_jobs
from .product_job import ProductJob

_WAIT_S = 600.0


@contextmanager
def rollout_lock(host: Host) -> Iterator[None]:
    """The one lock of whoever decides about rollouts; raises Busy."""
    if not host.exists(paths.STATE_DIRECTORY):
        host.mkdir(paths.STATE_DIRECTORY, mode=0o750)
    with exclusively(host, paths.ROLLOUT_LOCK, "promotion", wait=_WAIT_S):
        yield


@frozen
class Promoted:
    """What was decided about one product, and the campaigns that began."""

    product: str
    events: tuple[Event, ...]
    campaigns: tuple[str, ...] = ()


def product_jobs(host: Host, connection: sqlite3.Connection) -> dict[str, ProductJob]:
    """The products that have rings; raises InvalidDocument."""
    settings = rollout_settings(host).products
    return {name: ProductJob(host, connection, ProductKind(name), one) for name, one in settings.items()}


def all_jobs(host: Host, connection: sqlite3.Connection) -> dict[str, ProductJob]:
    """The rollouts of these products, and those of the packages of their engines, which follow the same rings."""
    jobs = product_jobs(host, connection)
    return {**jobs, **engine_jobs(host, jobs)}


def promote(host: Host, connection: sqlite3.Connection) -> list[Promoted]:
    """One run over all products that have rings. Raises Busy, OSError, InvalidDocument."""
    if not _concerns(host, connection):
        return []
    with rollout_lock(host):
        return bring_about(host, connection, _decide(host, connection))


def ready_channels(host: Host, connection: sqlite3.Connection) -> None:
    """Decide, and fill the channels, without publishing anything: before shards name channels, there are some."""
    if not _concerns(host, connection):
        return
    with rollout_lock(host):
        _decide(host, connection)
        note_decisions(host, connection)
        for job in all_jobs(host, connection).values():
            job.fill()


def bring_about(host: Host, connection: sqlite3.Connection, decided: Mapping[str, tuple[Event, ...]]) -> list[Promoted]:
    """Make channels, catalog, notices and audit what the records say; to be called under ``rollout_lock``.

    What cannot be written into the audit is not brought about. Content comes first then, the catalog, and notices last:
    whoever is notified finds what the notice is about.
    """
    note_decisions(host, connection)
    jobs = all_jobs(host, connection)
    for job in jobs.values():
        job.fill()
    with publication_lock(host):
        names = publish_catalog(host, connection, published_products(host, connection).values())
        record_published(host, connection, names)
    return [Promoted(name, decided.get(name, ()), tuple(job.notify())) for name, job in jobs.items()]


def clean(host: Host, connection: sqlite3.Connection, product: ProductKind) -> None:
    """Remove the content of versions that no ring needs any more. To be called under ``paths.FETCH_LOCK``, so that no
    fetch is putting new content there."""
    with rollout_lock(host):
        job = product_jobs(host, connection).get(product.value)
        if job is not None:
            job.clean()


def _concerns(host: Host, connection: sqlite3.Connection) -> bool:
    """Whether any product has rings, or had some."""
    return bool(rollout_settings(host).products or store.staged_products(connection))


def _decide(host: Host, connection: sqlite3.Connection) -> dict[str, tuple[Event, ...]]:
    jobs = all_jobs(host, connection)
    _close_others(host, connection, jobs)
    return {name: job.decide() for name, job in jobs.items()}


def _close_others(host: Host, connection: sqlite3.Connection, jobs: Mapping[str, ProductJob]) -> None:
    """End the rollouts of products that have no rings any more: everybody has what those without a channel have."""
    for name in store.staged_products(connection) - set(jobs):
        if Track.of(name) is None:
            select_channels(host, ProductKind(name)).close()
        with transaction(connection):
            store.forget(connection, name)
