# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's metrics: states, ages, reports, notices; bounded, whatever endpoints say (R5, R6, R7)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.alarms import NAMES
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.states import EndpointState
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from prometheus_client.parser import text_string_to_metric_families as families

from ..fleet.conftest import DAY, Server
from ..fleet.test_states import refuse, tell

_SAMPLE = re.compile(r"epp_autoupdate_server_(\w+(?:\{.*\})?) (\S+)")


def values(server: Server) -> dict[str, float]:
    """Every sample: the metric with its labels, without the prefix -> its value; the official parser reads as many."""
    status, out, err = server.run("metrics")
    assert (status, err) == (0, "")
    samples = [line for line in out.splitlines() if not line.startswith("# ")]
    matches = [_SAMPLE.fullmatch(line) for line in samples]
    found = {match[1]: float(match[2]) for match in matches if match}
    read = [one.value for family in families(out) for one in family.samples]
    assert len(found) == len(samples) == len(read)
    assert sorted(found.values()) == sorted(read)
    return found


def hold(server: Server, endpoint: str, versions: dict[str, str], product: str = "files") -> None:
    row = (endpoint, product, json.dumps(versions), server.host.now())
    with server.connection() as connection:
        connection.execute("INSERT INTO holdings VALUES (?, ?, ?, ?, '')", row)


def test_every_state_and_every_alarm_is_there_from_the_start(server: Server) -> None:
    found = values(server)
    assert [found[f'endpoints{{state="{state.value}"}}'] for state in EndpointState] == [0] * len(EndpointState)
    assert [found[f'alarms{{alarm="{name}"}}'] for name in NAMES] == [0] * len(NAMES)
    assert found['state_limit_ratio{state="failing"}'] == 0.05
    assert found['reports_total{result="taken"}'] == 0
    server.register("a", "b")
    tell(server, "a", {"configuration": {"result": "rollback", "reason": "9 is lower than 12"}})
    found = values(server)
    assert (found['endpoints{state="refusing"}'], found['endpoints{state="never_seen"}']) == (1, 1)
    assert (found['refusing_endpoints{result="rollback"}'], found['alarms{alarm="refusing"}']) == (1, 1)
    assert found["unpinned_endpoints"] == 2


def test_what_is_published_and_who_lacks_it_for_how_long(server: Server) -> None:
    server.settings(components={"files": {"directory": "/upstream"}}, alarms={"component_age": {"files": "1d"}})
    server.host.write("/upstream/a.yar", b"1")
    server.register("a", "b")
    tell(server, "a")
    tell(server, "b")
    for name in ("a", "b"):
        hold(server, name, {"a.yar": "0"})
    before = server.host.now()
    server.run("fetch")
    found = values(server)
    assert found['fetch_result{product="files",result="updated"}'] == 1
    assert before - 1 <= found['published_timestamp_seconds{product="files"}'] <= server.host.now()
    assert before - 1 <= found['fetch_timestamp_seconds{product="files"}'] <= server.host.now()
    assert found['lacking_endpoints{product="files",longer_than_seconds="0"}'] == 2
    assert found['lacking_endpoints{product="files",longer_than_seconds="3600"}'] == 0
    assert found['outdated_endpoints{product="files"}'] == 0
    assert found['component_endpoints{product="files",component="a.yar",version="0"}'] == 2
    assert found['open_campaigns{trigger="download"}'] + found['open_campaigns{trigger="manual"}'] <= 1
    server.forward(DAY + 60)
    found = values(server)
    assert found['lacking_endpoints{product="files",longer_than_seconds="86400"}'] == 2
    assert found['lacking_endpoints{product="files",longer_than_seconds="259200"}'] == 0
    assert found['outdated_endpoints{product="files"}'] == 2
    assert (found['alarms{alarm="outdated"}'], found['alarms{alarm="component_age"}']) == (1, 1)


def test_reports_are_counted_from_the_first_day_on(server: Server) -> None:
    server.register("a")
    with server.connection() as connection:
        for day, code, count in (("", "taken", 5), ("2026-01-01", "taken", 2), ("2026-01-01", "replayed", 1)):
            connection.execute("INSERT INTO report_counts VALUES (?, ?, ?)", (day, code, count))
    refuse(server, "a", "replayed", "it is older")
    refuse(server, "", "unregistered", "no such endpoint")
    found = values(server)
    assert found['reports_total{result="taken"}'] == 7
    assert found['reports_total{result="replayed"}'] == 1
    assert found['endpoints_with_refused_reports{reason="replayed"}'] == 1
    assert found['endpoints_with_refused_reports{reason="unregistered"}'] == 0


def test_the_newest_and_the_oldest_of_the_last_reports_of_a_state(server: Server) -> None:
    server.register("a", "b", "c")
    tell(server, "a")
    first = server.host.now()
    server.forward(3600)
    tell(server, "b")
    found = values(server)
    newest, oldest = (found[f'{which}_report_timestamp_seconds{{state="current"}}'] for which in ("newest", "oldest"))
    assert (abs(newest - first - 3600) < 60, abs(oldest - first) < 60) == (True, True)
    assert 'newest_report_timestamp_seconds{state="never_seen"}' not in found


def test_endpoints_are_named_only_up_to_the_number_that_was_asked_for(server: Server) -> None:
    """The gravest states first, and never who is current."""
    server.register("a", "b", "c", "d", domain="emea")
    tell(server, "a")
    tell(server, "b", {"roaming": True})
    tell(server, "d", {"selftest": {"at": None, "errors": ["x"]}})

    def named() -> list[str]:
        return [name for name in values(server) if name.startswith("endpoint_state")]

    assert named() == []
    server.settings(metrics={"endpoints": 2})
    told = 'endpoint_state{{endpoint="{}",domain="emea",state="{}"}}'
    assert named() == [told.format("d", "failing"), told.format("c", "never_seen")]
    server.settings(metrics={"endpoints": 100})
    assert named() == [*(told.format(*one) for one in (("d", "failing"), ("c", "never_seen"), ("b", "roaming")))]


def test_what_endpoints_say_can_neither_flood_nor_break_the_text(server: Server) -> None:
    names = [f"n{number}" for number in range(60)]
    server.register(*names)
    for number, name in enumerate(names):
        hold(
            server, name, {"engine": f"1.{number}", f"made-up-{number:02}": "1", "x" * 300 + str(number): 'a"\\\n\x1b'}
        )
    found = [name for name in values(server) if name.startswith("component_endpoints")]
    assert len(found) <= 20 * 11
    if shutil.which("promtool"):
        told = subprocess.run(
            ["promtool", "check", "metrics"], input=server.run("metrics")[1].encode(), check=False, capture_output=True
        )
        assert (told.returncode, told.stdout + told.stderr) == (0, b"")
    engines = {name: count for name, count in values(server).items() if 'component="engine"' in name}
    assert len(engines) == 11
    assert sum(engines.values()) == 60
    assert engines['component_endpoints{product="files",component="engine",version="other"}'] == 50


def test_a_version_that_is_called_as_the_rest_is_counted_with_it(server: Server) -> None:
    server.register("a", "b")
    hold(server, "a", {"engine": "other"})
    hold(server, "b", {"engine": "1"})
    found = {name: count for name, count in values(server).items() if 'component="engine"' in name}
    assert sorted(found.values()) == [1, 1]


def test_they_are_written_where_a_collector_reads_them_and_nowhere_else(server: Server) -> None:
    written: Any = server.host.read
    assert server.run("metrics", "--write") == (0, "", "")
    assert written(paths.METRICS_FILE) is None
    server.host.mkdir(paths.METRICS)
    assert server.run("metrics", "--write") == (0, "", "")
    assert b"\n# TYPE epp_autoupdate_server_endpoints gauge\n" in written(paths.METRICS_FILE)
