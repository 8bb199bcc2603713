# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rings cost, side by side: none, one, and three; and what the probe costs an endpoint.

Each run has a new server whose fleet has reported, and one real endpoint of the product files beside it. Measured are
the fetch of a second version with all that follows, and the endpoint's updates, in CPU seconds and on the wire.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from fleet_report import good
from program import Cost, Program
from wire import WebServer

from plugins.module_utils._endpoint import payload as agents
from plugins.module_utils._host.local_host import LocalHost
from plugins.module_utils._server import payload as servers
from plugins.module_utils._server.database.database import open_database, transaction
from plugins.module_utils._server.reports.records import take
from plugins.module_utils._server.reports.verdict import Known

ENDPOINT = "endpoint"
RINGS: dict[str, list[dict[str, Any]] | None] = {
    "no rings": None,
    "one ring": [{"name": "all"}],
    "three rings": [{"name": "canary", "endpoints": [ENDPOINT]}, {"name": "early", "percent": 10}, {"name": "broad"}],
}
_PUBLIC = "var/lib/epp-autoupdate-public"
_FILES, _SIZE = 20, 50_000
_SETTLED_S = 3.5
"""Younger files are asked for without a condition, as they could still change within a second of HTTP's dates."""
_SAMPLES = 32_000_000
_SCAN = "import hashlib, sys; hashlib.sha256(open(sys.argv[1], 'rb').read()).hexdigest()"
"""What the probe does with its samples; reading and hashing them stands for a scan."""


@dataclass(frozen=True)
class Programs:
    """The two programs, built once."""

    server: Path
    agent: Path

    @classmethod
    def build(cls, directory: Path) -> Programs:
        made = cls(directory / "epp-server", directory / "epp-agent")
        made.server.write_bytes(servers.build(servers.sources(), interpreter=sys.executable))
        made.agent.write_bytes(agents.build(agents.sources(), interpreter=sys.executable))
        return made


@dataclass(frozen=True)
class Measured:
    """One run: the server's CPU seconds, and of each update of the endpoint CPU seconds, requests and bytes."""

    fetch: float
    promote: float
    taken: tuple[float, int, int]
    nothing: tuple[float, int, int]


def lines(count: int, rounds: int, directory: str | None) -> Iterator[str]:
    """Both tables, with medians of so many rounds on a fleet of this size."""
    with tempfile.TemporaryDirectory(prefix="epp-bench-", dir=directory) as place:
        programs = Programs.build(Path(place))
        found: dict[str, list[Measured]] = {title: [] for title in RINGS}
        for _round in range(rounds):
            for title, rings in RINGS.items():  # in turns, so that all have the same machine
                with tempfile.TemporaryDirectory(dir=place) as here:
                    found[title].append(_measure(programs, Path(here), count, rings, {}))
        yield from _table(count, found)
        yield ""
        yield from _probes(programs, Path(place), rounds)


def _measure(
    programs: Programs, here: Path, count: int, rings: list[dict[str, Any]] | None, probe: Mapping[str, Any]
) -> Measured:
    server, agent = Program(programs.server, here / "server"), Program(programs.agent, here / "agent")
    public = server.root / _PUBLIC
    public.mkdir(parents=True)
    web = WebServer(public)
    try:
        _upstream(server.root, "one")
        staged = {} if rings is None else {"rollout": {"files": {"rings": rings}}}
        sections = {"components": {"files": {"directory": "/upstream"}}, "notify": {"notifier": "local"}}
        server.settings(web={"url": web.url}, **sections, **staged)
        server.run(["fetch", "--json"])
        _fill(server, count)
        document = {"format": 1, "endpoint": ENDPOINT, "product": "files", "scheduler": "systemd"}
        own = {"probe": dict(probe)} if probe else {}
        agent.run(["apply"], {**document, **own, "server": _enrollment(server, web.url)})
        _updated(agent, web, "updated")
        _upstream(server.root, "two")
        fetch = server.run(["fetch", "--json"])
        time.sleep(_SETTLED_S)
        taken = _updated(agent, web, "updated")
        nothing = _updated(agent, web, "current")
        return Measured(fetch.cpu, server.run(["promote", "--json"]).cpu, taken, nothing)
    finally:
        web.stop()


def _updated(agent: Program, web: WebServer, result: str) -> tuple[float, int, int]:
    web.log.clear()
    cost = agent.run(["update-now", "--json"])
    if f'"{result}"' not in cost.told:
        raise SystemExit(f"epp-agent update-now: {cost.told}")
    return cost.cpu, len(web.log), sum(one.received + one.sent for one in web.log)


def _enrollment(server: Program, url: str) -> dict[str, Any]:
    """What an endpoint needs to enroll."""
    return {"url": url, "signers": json.loads(server.run(["enrollment"]).told)["signers"]}


def _fill(server: Program, count: int) -> None:
    """Register so many endpoints beside the real one, each with a report, and publish."""
    names = [ENDPOINT, *(f"made-{number:06}" for number in range(count))]
    server.run(["register"], {"endpoints": [{"name": name, "product": "files"} for name in names]})
    server.run(["publish", "--json"])
    host = LocalHost(str(server.root))
    now = int(host.now())
    with closing(open_database(host)) as connection, transaction(connection):
        take(connection, {name: good(name, 1, now) for name in names}, dict.fromkeys(names, Known("")), float(now))


def _upstream(root: Path, content: str) -> None:
    """A version: one file of it is another each time."""
    folder = root / "upstream/patterns"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(_FILES):
        (folder / f"{number}.dat").write_bytes(bytes([number]) * _SIZE)
    (folder / "daily.dat").write_text(content * _SIZE, encoding="ascii")


def _table(count: int, found: dict[str, list[Measured]]) -> Iterator[str]:
    heads = [f"{count:,} endpoints", "fetch and publish, CPU s", "promote, CPU s"]
    for kind in ("update", "nothing new"):
        heads += [f"{kind}, CPU s", "requests", "bytes"]
    yield f"| {' | '.join(heads)} |"
    yield f"| --- |{' --: |' * (len(heads) - 1)}"
    for title, runs in found.items():
        cells = [f"{median(run.fetch for run in runs):.3f}", f"{median(run.promote for run in runs):.3f}"]
        for kind in ("taken", "nothing"):
            some = [getattr(run, kind) for run in runs]
            cells.append(f"{median(one[0] for one in some):.3f}")
            cells += [f"{median(one[place] for one in some):,.0f}" for place in (1, 2)]
        yield f"| {title} | {' | '.join(cells)} |"


def _probes(programs: Programs, place: Path, rounds: int) -> Iterator[str]:
    """Updates with a probe and without, in turns; and its command alone."""
    samples = place / "samples"
    samples.write_bytes(bytes(_SAMPLES))
    command = [sys.executable, "-IS", "-c", _SCAN, str(samples)]
    kinds: dict[str, Callable[[Path, Mapping[str, Any]], float]] = {
        "files": lambda here, probe: _measure(programs, here, 0, None, probe).taken[0],
        "command": lambda here, probe: _of_command(programs, here, probe),
    }
    yield "| one update, CPU s | without a probe | with a probe | difference | the probe's command alone |"
    yield "| --- | --: | --: | --: | --: |"
    for name, run in kinds.items():
        found: tuple[list[float], list[float], list[float]] = ([], [], [])
        for _round in range(rounds):
            for place_of, probe in enumerate(({}, {"command": command})):
                with tempfile.TemporaryDirectory(dir=place) as here:
                    found[place_of].append(run(Path(here), probe))
            found[2].append(Program.bare(command).cpu)
        without, probed, alone = map(median, found)
        yield f"| product `{name}` | {without:.3f} | {probed:.3f} | {probed - without:.3f} | {alone:.3f} |"


def _of_command(programs: Programs, here: Path, probe: Mapping[str, Any]) -> float:
    """The CPU seconds of one update of a standalone endpoint whose updater copies a file."""
    agent = Program(programs.agent, here / "agent")
    offered, installed = here / "offered", here / "installed"
    offered.write_text("2\n")
    installed.write_text("1\n")
    updater = {"update": ["/bin/cp", str(offered), str(installed)], "version": ["/bin/cat", str(installed)]}
    document = {
        "format": 1,
        "endpoint": ENDPOINT,
        "product": "command",
        "command": updater,
        "scheduler": "systemd",
        "ordinal": 0,
    }
    agent.run(["apply"], {**document, **({"probe": dict(probe)} if probe else {})})
    cost: Cost = agent.run(["update-now", "--json"])
    if '"updated"' not in cost.told:
        raise SystemExit(f"epp-agent update-now: {cost.told}")
    return cost.cpu
