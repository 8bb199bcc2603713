# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One fetch: bring what is new, publish it, and begin the campaigns that follow from it (E1)."""

from __future__ import annotations

import sqlite3
import syslog
from collections.abc import Collection, Iterable, Iterator, Mapping

from .._core.results import Outcome, Result
from .._core.settings.components import SourceSettings
from .._core.settings.endpoint_keys import ProductKind
from .._core.settings.retries import RetryPolicy
from .._core.untrusted_text import LONGEST_WORD, shown
from .._core.validation.errors import InvalidDocument
from .._core.values import replace
from .._host.host import Host
from .._host.lock import Busy
from . import paths
from .audit.changes import record_published
from .campaigns.start import start_campaign
from .channels.staged import staged_now
from .components.base import Published
from .components.configured import rollout_settings, sources_of
from .components.fetch_report import FetchReport, record_fetch
from .components.guard import Guard
from .fleet.out_of_scope import out_of_scope
from .publication.publish import publication_lock, publish_catalog
from .rollout.promote import clean, promote

_LEVELS = {Result.FAILED: syslog.LOG_ERR, Result.UNREACHABLE: syslog.LOG_WARNING}


def fetch(
    host: Host,
    connection: sqlite3.Connection,
    components: Mapping[ProductKind, SourceSettings],
    *,
    limits: RetryPolicy,
    chosen: Collection[ProductKind] = (),
) -> Iterator[FetchReport]:
    """Fetch the chosen products, or all, one with each report; to be called under ``paths.FETCH_LOCK``.

    Each product is published, cataloged and announced before the next one is fetched, so that a slow source keeps
    nobody waiting. Published comes first: whoever is notified finds what the notice is about.
    """
    sources, staged = sources_of(host, components), rollout_settings(host).products
    published = {kind: source.published() for kind, source in sources.items() if kind.value not in staged}
    for kind, source in sources.items():
        if chosen and kind not in chosen:
            continue
        outcome = Guard(host, paths.GUARD).fetch(source)
        campaigns: tuple[str, ...] = ()
        current = source.published()
        if kind.value in staged:
            why, campaigns = _promoted(host, connection, kind)
        else:
            published[kind] = current
            why = _cataloged(host, connection, published, [one for one in sources if one.value in staged])
        if why:
            outcome = Outcome(Result.FAILED, "; ".join(part for part in (outcome.why, why) if part))
        begun = next(iter(campaigns), None)
        if current and kind.value not in staged:
            begun = start_campaign(connection, kind.value, current, now=host.now(), limits=limits)
        # Of the other products, endpoints choose the components themselves, whatever their kind.
        warning = out_of_scope(connection, current.items) if current and kind is ProductKind.FILES else ""
        report = replace(_report(kind, outcome, current, begun), warning=warning)
        level = _LEVELS.get(outcome.result, syslog.LOG_WARNING if warning else syslog.LOG_INFO)
        host.log(level, report.sentence())
        record_fetch(host, report)
        yield report


def _promoted(host: Host, connection: sqlite3.Connection, kind: ProductKind) -> tuple[str, tuple[str, ...]]:
    """Offer a new version to the first ring; returns why it could not be, and the campaigns that began."""
    try:
        done = promote(host, connection)
        clean(host, connection, kind)
    except (Busy, OSError, InvalidDocument) as error:
        return f"the rollout: {error}", ()
    return "", tuple(name for one in done if one.product == kind.value for name in one.campaigns)


def _cataloged(
    host: Host,
    connection: sqlite3.Connection,
    published: Mapping[ProductKind, Published | None],
    staged: Iterable[ProductKind],
) -> str:
    """Publish the catalog; returns why it could not be, or nothing. To read what a product publishes has its price.

    Endpoints find the components all the same; that the catalog is old has to be told and mended.
    """
    try:
        with publication_lock(host):
            by_rings = [staged_now(host, connection, kind) for kind in staged]
            names = publish_catalog(host, connection, [*published.values(), *by_rings])
            record_published(host, connection, names)
    except (Busy, OSError, InvalidDocument) as error:
        return f"the catalog: {error}"
    return ""


def _report(kind: ProductKind, outcome: Outcome, published: Published | None, campaign: str | None) -> FetchReport:
    version = shown(published.version, LONGEST_WORD) if published else None
    return FetchReport(kind.value, outcome.result, shown(outcome.why), outcome.until, version, campaign)
