# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet of any size on record of a server: every state, several domains and schedules, campaigns, a history.

Who is what follows from an endpoint's number, so that the same size is the same fleet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import (
    FILE,
    NAMESPACE,
    Catalog,
    CatalogItem,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.envelope import pack
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.header import Header
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import Kind
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report import Occasion, Report
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.states import EndpointState
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.timetable import Timetable
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.registration import Registration
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timestamps import iso, unix
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timezones import zone_of
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import (
    open_database,
    transaction,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet import state_history
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.policies import (
    EndpointPolicy,
    endpoint_policies,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.registry import register
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication.signer import public_path
from ansible_collections.epp.autoupdate.plugins.module_utils._server.reports.records import take
from ansible_collections.epp.autoupdate.plugins.module_utils._server.reports.verdict import Good, Known

NOW = unix("2026-11-29T03:10:00Z")
"""In the window of most endpoints, of which the last ones are still to start."""
DOMAINS = ("emea", "emea/finance", "emea/plant", "apac", "apac/sales", "lab")
_DAY = 86400
_BUILT = {"main": 400 * _DAY, "bytecode": 90 * _DAY, "daily": 11 * 3600}
_REASONS = ("no space left on the file system of /var/lib/clamav", "clamd does not answer", "the source is unreachable")
_CAMPAIGN = "c-0123456789abcdef0123456789abcd"


class MadeHost(LocalHost):
    """A directory that stands for a server, at one instant."""

    def now(self) -> float:
        return float(NOW)


def made(root: Path, count: int, reasons: Mapping[int, str] | None = None) -> MadeHost:
    """A server with so many endpoints; ``reasons`` are why some of them, by number, fail."""
    host = MadeHost(str(root), program="epp-server")
    _publish(host)
    with closing(open_database(host)) as connection:
        with transaction(connection):
            register(connection, Registration.from_dict(_registration(count)), now=float(NOW - 90 * _DAY))
        members = list(endpoint_policies(connection))
        groups: dict[int, dict[str, Good]] = {}
        for number, member in enumerate(members):
            for received, report in _reports(number, member, (reasons or {}).get(number)):
                document = report.to_bytes()
                groups.setdefault(received, {})[member.name] = Good(Report.from_bytes(document), document.decode())
        for received, good in sorted(groups.items()):
            with transaction(connection):
                take(connection, good, {name: Known("") for name in good}, float(received))
        with transaction(connection):
            _campaign(connection, [member.name for member in members])
            _history(connection, count)
    return host


def _registration(count: int) -> dict[str, Any]:
    endpoints = [{"name": f"{_KINDS[n % 4]}-{n:05}.example.com", "domain": DOMAINS[n % 6]} for n in range(count)]
    for number in range(0, count, 50):
        endpoints[number]["policy"] = {"privileges": {"go_roaming": True}}  # type: ignore[assignment]
    return {
        "root": {"schedule": {"start": "02:00", "window": "2h"}, "privileges": {"toggle_scheduled_update": True}},
        "domains": {
            **{domain: {} for domain in DOMAINS},
            "apac": {"schedule": {"start": "18:00", "window": "4h", "spread": "random"}},
            "lab": {"schedule": {"frequency": "hours", "interval": 4}},
            "emea/finance": {"events": {"scan_after_update": True}},
        },
        "endpoints": endpoints,
    }


def _reports(number: int, member: EndpointPolicy, reason: str | None) -> Iterator[tuple[int, Report]]:
    if number % 97 == 10:
        return
    received = NOW - 5 * _DAY - number % 50 * 60 if number % 53 == 11 else NOW - number % 7200
    drift = ("/etc/epp-autoupdate/freshclam.conf has another content",) if number % 61 == 12 else ()
    yield (
        received,
        Report.of_status(
            _status(number, member, reason),
            endpoint=member.name,
            sequence=1,
            at=received,
            occasion=Occasion.RUN,
            agent="1.0.0",
            drift=drift if drift or number % 3 == 0 else None,
            drift_count=len(drift),
        ),
    )


def _status(number: int, member: EndpointPolicy, reason: str | None) -> dict[str, Any]:
    off, old = number % 59 == 13, number % 31 == 14
    refusing = number % 211 == 15
    failed = reason or (_REASONS[number % 3] if number % 71 == 16 else "")
    built = {name: NOW - age - (4 * _DAY if old and name == "daily" else 0) for name, age in _BUILT.items()}
    versions = {"main": "62", "bytecode": "335", "daily": "27598" if old else "27602"}
    return {
        "product": "clamav",
        "domain": DOMAINS[number % 6],
        "scheduler": "systemd" if number % 5 else "cron",
        "configuration": {
            "result": "bad_signature" if refusing else "adopted",
            "reason": "the signature is of a key that is not trusted" if refusing else "",
            **dict.fromkeys(("asked", "adopted"), iso(NOW - 3600)),
            "expires": iso(NOW + 13 * _DAY),
            "tree_serial": 1795998702,
            "shard_serial": 1795998703,
        },
        "switch": False if off else None,
        "roaming": number % 37 == 17,
        "scheduled_update": not off,
        "components": [{"name": name, "version": versions[name], "built": iso(built[name])} for name in versions],
        "running": None,
        "last": _last(number, member, failed, off=off),
        "next_run": None if off else iso(NOW + 86400 + number % 7200),
        "schedule_fault": None,
        "selftest": {"at": iso(NOW - 40 * _DAY), "errors": []},
        "scan": {"due": False, "last": None},
    }


def _last(number: int, member: EndpointPolicy, failed: str, *, off: bool) -> dict[str, Any]:
    """The last runs: the scheduled one some seconds after its slot, and a few of them minutes."""
    found = {"download": _run(NOW - 8 * 3600 - number % 600, "updated")}
    assert member.policy is not None
    zone = zone_of(member.policy.schedule.timezone)
    table = Timetable.of(member.policy.schedule, endpoint=member.name, ordinal=member.ordinal, zone=zone)
    slot = [one for one in table.grid.around(NOW) if one.at <= NOW - 30][-1]
    if not off:
        late = number % 5 + (240 if number % 67 == 18 else 0)
        found["schedule"] = _run(slot.at + late, "failed" if failed else "current", failed)
    if number % 9 == 0:
        found["manual"] = _run(NOW - 3 * _DAY - number, "current")
    return found


def _run(started: int, result: str, reason: str = "") -> dict[str, Any]:
    instants = {"started": iso(started), "finished": iso(started + 4)}
    return {"result": result, "reason": reason, **instants, "until": None, "changed": [], "joined": None}


def _publish(host: LocalHost) -> None:
    versions = {"main": "62", "bytecode": "335", "daily": "27602"}
    items = [
        CatalogItem("clamav", name, version, Kind.PATTERN, 1000, "0" * 64, f"components/clamav/{name}.cvd")
        for name, version in versions.items()
    ]
    content = Catalog.of(Header(1, NOW - 3600, NOW + 13 * _DAY), items).to_bytes()
    host.write(public_path(FILE), pack(content, "signature", NAMESPACE))


def _campaign(connection: Any, names: list[str]) -> None:
    """One that went out 250 at a time; the places of each hundred last a little longer."""
    begin = NOW - 8 * 3600
    values = (_CAMPAIGN, "download", "clamav", "daily=27602", begin)
    connection.execute("INSERT INTO campaigns (id, trigger, product, version, created) VALUES (?, ?, ?, ?, ?)", values)
    rows = []
    for number, name in enumerate(names):
        since = begin + number // 250 * 40 + number % 10
        status, result = ("failed", "not_reached") if number % 97 == 10 else ("finished", "updated")
        place = None if status == "failed" else since
        rows.append((_CAMPAIGN, name, "event", status, 0.0, place, 1, result, "", since + 20 + number % 17))
    columns = "campaign, endpoint, mode, status, due, since, tries, result, reason, changed"
    connection.executemany(f"INSERT INTO deliveries ({columns}) VALUES ({', '.join('?' * 10)})", rows)


def _history(connection: Any, count: int) -> None:
    for day in range(60, 0, -1):
        bad = count * (6 + (day * 7) % 11 + (40 if day == 33 else 0)) // 100
        counts = {EndpointState.BEHIND: bad, EndpointState.SILENT: count // 60, EndpointState.FAILING: count // 90}
        counts[EndpointState.CURRENT] = count - sum(counts.values())
        state_history.record(connection, counts, float(NOW - day * _DAY))


_KINDS = ("desktop", "laptop", "server", "kiosk")
