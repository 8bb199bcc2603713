# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report on forty machines: a campaign under its cap, and a short window on their own timers (N1, S5)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from pathlib import Path
from typing import Any

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_nodes import Node, eventually
from lab_update_server import UpdateServer

pytestmark = pytest.mark.heavy  # what is counted of starts and flights is a unit test
SERVER, FLEET = "n64", tuple(f"n{number}" for number in range(65, 105))
CAP = 8
WINDOW_S = 180
LEAD_S = 240
"""From the change of the policy to the window: all endpoints have to know of it by then."""
AT_ONCE = 10
"""How many machines are converged in one run, whose time is limited."""

SET = {"scope": "root", "name": "", "inherit": ["schedule.day"]}
"""The first policy was a weekly one."""


@pytest.fixture(scope="module")
def server(node: Callable[[str], Node], ansible: Ansible) -> UpdateServer:
    made = UpdateServer(node(SERVER))
    made.node.run("mkdir -p /srv/rules && echo 1 >/srv/rules/a.yar")
    own = {
        "autoupdate_server_components": {"files": {"directory": "/srv/rules"}},
        "autoupdate_server_fetch": {"every": "1d"},
        "autoupdate_server_notify": {"max_in_flight": CAP},
    }
    policy = {"events": {"update_on_reconnect": False}, "schedule": documents.quiet("x")["policy"]["schedule"]}
    endpoint = {"autoupdate_product": "files", "autoupdate_policy": policy}
    hosts = {SERVER: made.variables(**own), **dict.fromkeys(FLEET, endpoint)}
    for first in range(0, len(FLEET), AT_ONCE):
        ansible.site(hosts, limit=(SERVER, *FLEET[first : first + AT_ONCE])).demand()
    return made


def report(server: UpdateServer) -> dict[str, Any]:
    return dict(server.command("report", "--json").json())


def test_a_campaign_stays_below_its_cap(server: UpdateServer) -> None:
    """E1: all of them are told of a version that comes once all are registered."""
    server.node.run("echo 2 >/srv/rules/a.yar")
    begun = server.fetch()["campaign"]
    assert begun

    def over() -> bool:
        server.command("notify", "--json", check=False)
        return not any(one["open"] for one in server.campaigns() if one["campaign"] == begun)

    eventually(over, seconds=600, why="the campaign is over")
    campaign = next(one for one in report(server)["campaigns"] if one["campaign"] == begun)
    course = campaign["course"]
    print(f"\n{len(FLEET)} machines, cap {CAP}: at most {course['peak']} in flight, {campaign['words']}")
    assert (campaign["endpoints"], campaign["results"]) == (len(FLEET), {"updated": len(FLEET)})
    assert (set(course["cap"]), course["finished"][-1]) == ({CAP}, len(FLEET))
    assert 1 < course["peak"] <= CAP


def test_the_planned_load_and_the_real_one_agree(
    server: UpdateServer, node: Callable[[str], Node], tmp_path: Path
) -> None:
    """S3, S5: each machine starts by its own timer, in the second that the server has planned for it."""
    start = int(time.time() + LEAD_S) // 60 * 60
    clock = time.strftime("%H:%M", time.gmtime(start))
    policy = {"frequency": "daily", "start": clock, "window": f"{WINDOW_S // 60}m"}
    server.command("tree", "set", "--json", stdin=json.dumps(SET | {"values": {"schedule": policy}}))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: node(name).agent("sync"), FLEET))
    assert time.time() < start, "the endpoints took longer to sync than the test allows for"
    time.sleep(max(0.0, start + WINDOW_S - time.time()))

    def told() -> bool:
        (window,) = report(server)["windows"]
        return not window["open"] and sum(window["real"]) == len(FLEET)

    eventually(told, seconds=120, why="every endpoint has reported its start")
    (window,) = report(server)["windows"]
    apart = max(abs(a - b) for a, b in zip(accumulate(window["planned"]), accumulate(window["real"])))
    print(
        f"\n{len(FLEET)} starts in {WINDOW_S} s: in the middle {window['median_late']} s after the plan, at most"
        f" {window['most_late']} s; the curves are at most {apart} starts apart"
    )
    assert (sum(window["planned"]), window["on_time"], window["missing"]) == (len(FLEET), len(FLEET), [])
    assert max(window["planned"]) - min(window["planned"]) <= 2, "the plan itself is even"
    assert apart <= len(FLEET) // 8
    page = tmp_path / "fleet.html"
    page.write_text(server.command("report", "--html", "-").out, encoding="ascii")
    assert f"{len(FLEET)} planned, {len(FLEET)} started" in page.read_text(encoding="ascii")
