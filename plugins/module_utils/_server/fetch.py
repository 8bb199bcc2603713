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
from .campaigns.start import start_campaign
from .components.base import Published
from .components.configured import sources_of
from .components.fetch_report import FetchReport, record_fetch
from .components.guard import Guard
from .fleet.out_of_scope import out_of_scope
from .publication.publish import publication_lock, publish_catalog

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
    sources = sources_of(host, components)
    published = {kind: source.published() for kind, source in sources.items()}
    for kind, source in sources.items():
        if chosen and kind not in chosen:
            continue
        outcome = Guard(host, paths.GUARD).fetch(source)
        published[kind] = source.published()
        why = _cataloged(host, connection, published.values())
        if why:
            outcome = Outcome(Result.FAILED, "; ".join(part for part in (outcome.why, why) if part))
        current = published[kind]
        begun = start_campaign(connection, kind.value, current, now=host.now(), limits=limits) if current else None
        # Of the other products, endpoints choose the components themselves, whatever their kind.
        warning = out_of_scope(connection, current.items) if current and kind is ProductKind.FILES else ""
        report = replace(_report(kind, outcome, current, begun), warning=warning)
        level = _LEVELS.get(outcome.result, syslog.LOG_WARNING if warning else syslog.LOG_INFO)
        host.log(level, report.sentence())
        record_fetch(host, report)
        yield report


def _cataloged(host: Host, connection: sqlite3.Connection, published: Iterable[Published | None]) -> str:
    """Publish the catalog; returns why it could not be, or nothing.

    Endpoints find the components all the same; that the catalog is old has to be told and mended.
    """
    try:
        with publication_lock(host):
            publish_catalog(host, connection, published)
    except (Busy, OSError, InvalidDocument) as error:
        return f"the catalog: {error}"
    return ""


def _report(kind: ProductKind, outcome: Outcome, published: Published | None, campaign: str | None) -> FetchReport:
    version = shown(published.version, LONGEST_WORD) if published else None
    return FetchReport(kind.value, outcome.result, shown(outcome.why), outcome.until, version, campaign)
