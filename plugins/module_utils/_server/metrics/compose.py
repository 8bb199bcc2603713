# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that the server knows as metrics, and the textfile that has them; times are Unix seconds.

The textfile lies in a directory of the server's own, because its user may not write to that of node_exporter's textfile
collector. The converge, which runs as root, makes a link there.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping

from ..._core.exposition import Metric, exposition, single
from ..._core.reports.states import EndpointState
from ..._core.settings.metrics import MetricsSettings
from ..._core.timestamps import unix
from ..._core.version import VERSION
from ..._host.host import Host
from .. import paths
from ..components.fetch_report import last_fetches
from ..fleet.states import EndpointHealth
from ..health import alarm_settings, health
from ..publication.signer import records
from ..settings import limits_zone, notify_settings, read_section
from . import counts
from .of_health import of_endpoints, of_health

_ORDER = list(EndpointState)


def write_textfile(host: Host, connection: sqlite3.Connection) -> None:
    """Write the metrics, atomically, where a collector reads them; raises OSError."""
    if host.exists(paths.METRICS):
        host.write(paths.METRICS_FILE, exposition(server_metrics(host, connection)).encode(), mode=0o644)


def server_metrics(host: Host, connection: sqlite3.Connection) -> Iterator[Metric]:
    """All metrics of the server at this moment."""
    found, now = health(host, connection), host.now()
    yield single("server_info", "The version of the server", 1, version=VERSION)
    yield single("server_metrics_timestamp_seconds", "When these metrics were written", int(now))
    yield from of_health(found, alarm_settings(host))
    yield from of_endpoints(found.endpoints, now)
    yield counts.unpinned(connection)
    yield _published(found.versions)
    yield counts.components(connection)
    yield _fetched(host)
    yield _serials(connection)
    yield from counts.reports(connection)
    settings = notify_settings(host)
    yield from counts.notices(connection, settings.caps.at(now, limits_zone(host, settings)))
    most = MetricsSettings.from_dict(read_section(host, "metrics")).endpoints
    yield _named(connection, found.endpoints, most)


def _published(versions: Mapping[str, str]) -> Metric:
    samples = tuple(({"product": product, "version": version}, 1) for product, version in sorted(versions.items()))
    return Metric("server_published_info", "The newest version of each product", samples)


def _fetched(host: Host) -> Metric:
    at = tuple(({"product": product}, unix(one["at"])) for product, one in sorted(last_fetches(host).items()))
    return Metric("server_fetch_timestamp_seconds", "When the last fetch of a product ended", at)


def _serials(connection: sqlite3.Connection) -> Metric:
    known = records(connection)
    serials = tuple(({"document": name}, known[name].serial) for name in ("catalog", "tree") if name in known)
    return Metric("server_document_serial", "The serial of a published document", serials)


def _named(connection: sqlite3.Connection, endpoints: Mapping[str, EndpointHealth], most: int) -> Metric:
    """Those that are not current, each by its name, the gravest states first; none unless settings ask for them."""
    states = {name: one.assessment.state for name, one in endpoints.items()}
    names = [name for name, state in states.items() if state is not EndpointState.CURRENT]
    chosen = sorted(names, key=lambda name: (_ORDER.index(states[name]), name))[:most]
    select = "SELECT name, domain FROM endpoints WHERE name IN (SELECT value FROM json_each(?))"
    domains = dict(connection.execute(select, (json.dumps(chosen),)).fetchall())
    samples = tuple(
        ({"endpoint": name, "domain": domains.get(name, ""), "state": states[name].value}, 1) for name in chosen
    )
    return Metric("server_endpoint_state", "The state of an endpoint that is not current", samples)
