# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An update server with rings of clamav, and endpoints of two distributions that upgrade packages and report."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report import Occasion, Report
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.registration import Registration
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timestamps import iso
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.channels import store
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database, transaction
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.registry import register
from ansible_collections.epp.autoupdate.plugins.module_utils._server.reports.records import forget, take
from ansible_collections.epp.autoupdate.plugins.module_utils._server.reports.verdict import Good, Known

from .conftest import HOUR, MovedHost, Server, few_shards

RINGS: dict[str, Any] = {
    "rings": [{"name": "canary", "endpoints": ["c1", "c2", "u1"]}, {"name": "broad"}],
    "bake_time": "2h",
    "failure_threshold": 0,
    "deadline": "2d",
}
DEBIAN, UBUNTU = "debian-13-x86_64", "ubuntu-24.04-x86_64"
STREAMS = {**dict.fromkeys(("c1", "c2", "b1", "b2", "b3"), DEBIAN), **dict.fromkeys(("u1", "u2", "u3"), UBUNTU)}
OLD, NEW, NEWER = "1.0-1", "1.1-1", "1.2-1"


class Engine:
    """One endpoint's packages: it installs what its source offers, as far as catalog and holds let it, and reports."""

    def __init__(self, fleet: Fleet, name: str) -> None:
        self.fleet, self.name = fleet, name
        self.stream = STREAMS.get(name, DEBIAN)
        self.version = OLD
        self.before = ""
        self.taken: list[str] = []
        self.bad: set[str] = set()
        self.run: dict[str, Any] = {}
        self.sequence = 0
        self.is_idle = False
        """Whether it upgrades nothing, and reports all the same."""
        self.delay = 0.0
        """How long a report is under way (seconds)."""

    @property
    def channel(self) -> str:
        return "canary" if self.name in RINGS["rings"][0]["endpoints"] else "broad"

    def upgrade(self) -> None:
        """One run in its window."""
        catalog = self.fleet.server.catalog()
        mine = [one for one in catalog.holds if one.stream == self.stream]
        held = {one.components["engine"] for one in mine}
        found = catalog.engine("clamav", self.stream)
        allowed = () if found is None else found.allowed(self.channel)
        wanted = self.fleet.sources[self.stream]
        if self.is_idle:
            self.report("current")
        elif any(one.components["engine"] == self.version and one.restore for one in mine):
            self.version, self.before = self.before, ""
            self.report("held")
        elif wanted == self.version:
            self.report("current")
        elif wanted == self.run.get("version") and wanted in self.bad:
            self.report("failed", kind="probe")  # it is not begun again for a day, which is a failure each time
        elif wanted in held or (allowed is not None and wanted not in allowed):
            self.report("held")
        else:
            self.taken.append(wanted)
            self.try_out(wanted)

    def try_out(self, version: str) -> None:
        outcome = {"result": "updated"}
        if version in self.bad:
            outcome = {"result": "failed", "kind": "probe", "reason": "clamd did not come back"}
        else:
            self.before, self.version = self.version, version
        self.run = {"version": version, "tried": iso(self.fleet.server.host.clock), "outcome": outcome}
        self.report(**outcome)

    def forget(self) -> None:
        """Tell once that its packages go through no rings."""
        self.stream, stream = "", self.stream
        self.report()
        self.stream = stream

    def report(self, result: str = "", *, reason: str = "", **more: Any) -> None:
        self.sequence += 1
        now = int(self.fleet.server.host.clock)
        component = {"name": "engine", "version": self.version, "built": None, "kind": "engine"}
        status: dict[str, Any] = {"product": "clamav", "components": [component], "last": {}, "roaming": False}
        if self.stream:
            status["engine_stream"] = self.stream
        if result:
            self.run = {**self.run, "result": result, "reason": reason, "finished": iso(now), **more}
        if self.run:
            status["engine"] = self.run
        document = Report.of_status(
            status, endpoint=self.name, sequence=self.sequence, at=now, occasion=Occasion.RUN, agent="1.0.0"
        )
        good = Good(Report.from_bytes(document.to_bytes()), document.to_bytes().decode())
        self.fleet.server.host.clock += self.delay
        with closing(open_database(self.fleet.server.host)) as connection, transaction(connection):
            take(connection, {self.name: good}, {self.name: Known("", 0)}, self.fleet.server.host.clock)


class Fleet:
    """A server with rings of clamav, and eight endpoints of two distributions."""

    def __init__(self, host: MovedHost) -> None:
        self.server = Server(host, RINGS)
        self.set(RINGS)
        self.sources = dict.fromkeys((DEBIAN, UBUNTU), OLD)
        self.engines: dict[str, Engine] = {}
        self.add(*STREAMS)
        for one in self.engines.values():
            one.report()
        assert self.server.run("publish") == 0

    def add(self, *names: str, stream: str = "") -> None:
        """Endpoints that have not reported yet."""
        entries = [{"name": name, "domain": "", "product": "clamav"} for name in names]
        with closing(open_database(self.server.host)) as connection, transaction(connection):
            wanted = Registration.from_dict({"domains": {}, "endpoints": entries})
            register(connection, wanted, now=self.server.host.clock)
        for name in names:
            self.engines[name] = Engine(self, name)
            self.engines[name].stream = stream or self.engines[name].stream

    def remove(self, *names: str) -> None:
        with closing(open_database(self.server.host)) as connection, transaction(connection):
            forget(connection, names)
            connection.executemany("DELETE FROM endpoints WHERE name = ?", [(name,) for name in names])
        for name in names:
            del self.engines[name]

    def tracks(self) -> list[str]:
        """The streams that have a rollout on record."""
        with closing(open_database(self.server.host)) as connection:
            return [one.stream for one in store.engine_tracks(connection, "clamav")]

    def set(self, rings: dict[str, Any] | None) -> None:
        settings: dict[str, Any] = {"notify": {"notifier": "local"}}
        self.server.host.write(paths.SETTINGS, json.dumps({**settings, "rollout": {"clamav": rings}}).encode())

    def hours(self, count: float, *, step: float = 1.0) -> None:
        end = self.server.host.clock + count * HOUR
        while self.server.host.clock < end:
            self.server.host.clock += step * HOUR
            for one in self.engines.values():
                one.upgrade()
            assert self.server.run("promote") == 0

    def versions(self, *names: str) -> set[str]:
        return {self.engines[name].version for name in names}

    def takers(self, version: str) -> list[str]:
        return [name for name, one in self.engines.items() if version in one.taken]

    def kinds(self, stream: str = DEBIAN) -> list[tuple[str, str, str]]:
        with closing(open_database(self.server.host)) as connection:
            events = store.recent_events(connection, f"clamav/engine/{stream}", 100)
        return [(one["kind"], one["version"], one["ring"]) for one in reversed(events)]


@pytest.fixture(scope="module")
def settled_root(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        few_shards(patch)
        fleet = Fleet(MovedHost(str(tmp_path_factory.mktemp("engines"))))
        fleet.hours(7)
        yield fleet


@pytest.fixture
def fleet(settled_root: Fleet, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """A copy of the fleet in which both rings have passed what was installed from the beginning."""
    few_shards(monkeypatch)
    made = Fleet.__new__(Fleet)
    made.server = settled_root.server.copy(tmp_path / "server")
    made.sources = dict(settled_root.sources)
    made.engines = {}
    for name, one in settled_root.engines.items():
        made.engines[name] = Engine(made, name)
        made.engines[name].sequence = one.sequence
    return made
