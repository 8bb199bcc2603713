# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ten situations of real machines, each seen alike in five views, and gone from them when it is mended (R4-R7).

What an endpoint reports at once is looked for at once. For what it finds once a day, and for silence, two days pass on
the clocks of all machines, and each that is on wakes once a day, as its timer would wake it.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import lab_clock
import lab_documents as documents
import lab_situations as deeds
import pytest
from fleet import Fleet
from lab_ansible import Ansible
from lab_nodes import Node, eventually
from lab_situations import Expected, Situation, World
from lab_update_server import UpdateServer
from lab_views import Seen, Told, Views

pytestmark = pytest.mark.heavy
SERVER = "n105"
SMALL, LARGE = 1_000, 1_000_000
"""Bytes of the first and the second version, of which only the first fits on the disk of one endpoint."""
SOON_S = 60
"""How long a report that is made at once may take to be seen, the update before it and a busy host included (R4)."""
LEAD_S = 30
"""From the change of a schedule to its slot, at least: the endpoint has to know of it by then."""
AT_ONCE = 7
"""How many machines are converged in one run, whose time is limited."""

CURRENT: Expected = ("current", "")
BARRED = ("failing", r"it does not let the server in: \S+: refused: sshd does not accept the notify key for epp-\S+")
EDITED = ("failing", rf"differs from what was converged: {re.escape(deeds.TIMER)} has another content")
FULL = ("failing", r"failed; .*[Nn]o space left on .*")
LACKING = ("behind", "rules 1, 2 is published")
OTHER_KEY = ("failing", r"its host key has changed: \S+: the host key is not the one that was pinned at enrollment")
OTHER_SIGNATURE = ("failing", r"its reports are refused: it is signed by another key than the pinned one")
REFUSING = ("refusing", r"bad_signature: .+")
ROAMING = ("roaming", "")
SILENT = ("silent", "")
SWITCHED = ("switched_off", "its user has switched scheduled update off")
WRONG = ("failing", "its clock is 3 d behind")
BY_SLOT = {"events": {"update_after_download": False}}
RETURNING = {"events": {"update_on_reconnect": True}}
AT_BOOT = {"autoupdate_reconnect": {"probe": "10s", "jitter": "0s", "wait": "60s"}}
SITUATIONS = (
    # name, machine, how it is made, what is seen at once and two days later, how it is mended
    Situation("scheduled update", "n106", deeds.nothing, LACKING, CURRENT, deeds.nothing, policy=BY_SLOT),
    Situation("failed update", "n107", deeds.fill_the_disk, FULL, FULL, deeds.make_room),
    Situation("refused configuration", "n108", deeds.damage_shard, REFUSING, REFUSING, deeds.repair_shard),
    Situation("user switched off", "n109", deeds.switch_off, SWITCHED, SWITCHED, deeds.switch_on),
    Situation("roaming", "n110", deeds.go_roaming, ROAMING, ROAMING, deeds.come_home),
    Situation(
        "powered off", "n111", deeds.power_off, LACKING, SILENT, deeds.boot, on=False, policy=RETURNING, more=AT_BOOT
    ),
    Situation("agent removed", "n112", deeds.remove_agent, BARRED, BARRED, deeds.update_now, site=True, agent=False),
    Situation("unit edited", "n113", deeds.edit_unit, CURRENT, EDITED, deeds.nothing, site=True),
    Situation("clock wrong", "n114", deeds.set_clock_wrong, WRONG, WRONG, deeds.set_clock_right, wrong=deeds.WRONG),
    Situation("host key changed", "n115", deeds.change_key, OTHER_KEY, OTHER_SIGNATURE, deeds.update_now, site=True),
    Situation("nothing", "n116", deeds.nothing, CURRENT, CURRENT, deeds.nothing),
    Situation("nothing either", "n117", deeds.nothing, CURRENT, CURRENT, deeds.nothing),
)
SCHEDULED = SITUATIONS[0].machine


def fits(said: Seen, expected: Expected) -> bool:
    state, words = expected
    return said.state == state and re.fullmatch(words, said.reason) is not None


def unlike(seen: Told, expected: dict[str, Expected]) -> dict[str, Seen]:
    """What is not as expected."""
    return {name: said for name, said in seen.items() if not fits(said, expected[name])}


def shows(views: Views, expected: dict[str, Expected]) -> None:
    """Wait until the server knows that; then all views say it, each of them with the same instants."""
    deadline = time.monotonic() + SOON_S
    while unlike(views.command(), expected) and time.monotonic() < deadline:
        time.sleep(1)
    seen = views.command()
    assert unlike(seen, expected) == {}
    assert seen.keys() == expected.keys()
    for view in (views.table, views.module, views.page, views.inventory):
        assert view() == seen, view.__name__
    named, states, refusing = views.metrics()
    assert named == {name: said.state for name, said in seen.items() if said.state != "current"}
    assert states == Counter(said.state for said in seen.values())
    assert refusing == Counter(said.reason.partition(":")[0] for said in seen.values() if said.state == "refusing")


@pytest.fixture(scope="module")
def world(fleet: Fleet, node: Callable[[str], Node], ansible: Ansible) -> World:
    """Everybody has the first version."""
    names = [one.machine for one in SITUATIONS]
    fleet.boot_if_off(SERVER, *names)
    server = UpdateServer(node(SERVER))
    made = World(server, {name: node(name) for name in names}, ansible, SITUATIONS)
    for machine in (server.node, *made.nodes.values()):
        lab_clock.install(machine)
    server.node.run(f"mkdir -p /srv/rules && head -c {SMALL} /dev/urandom >/srv/rules/a.yar")
    for first in range(0, len(names), AT_ONCE):
        made.site(SERVER, *names[first : first + AT_ONCE])
    server.command("fetch", check=False)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda machine: machine.agent_run("manual", check=True), made.nodes.values()))
    eventually(lambda: not any(one["open"] for one in server.campaigns()), seconds=120, why="all notices are done")
    return made


@pytest.fixture(scope="module")
def views(world: World, ansible: Ansible, tmp_path_factory: pytest.TempPathFactory) -> Views:
    return Views(world.server, ansible, tmp_path_factory.mktemp("views"))


def test_all_views_agree_on_a_fleet_that_is_well(views: Views) -> None:
    shows(views, {one.machine: CURRENT for one in SITUATIONS})


def test_what_is_told_at_once_is_seen_at_once_in_each_view(world: World, views: Views) -> None:
    for one in SITUATIONS:
        one.made(world, world.nodes[one.machine])
    world.publish(LARGE)
    shows(views, {one.machine: one.at_once for one in SITUATIONS})


def test_a_scheduled_update_is_seen_when_its_slot_has_come(world: World, views: Views) -> None:
    start = int(time.time() + LEAD_S) // 60 * 60 + 60
    when = datetime.fromtimestamp(start, timezone.utc)
    schedule = {"day": f"{when:%A}".lower(), "start": f"{when:%H:%M}", "window": "1m"}
    world.server.set("schedule", schedule, scope="endpoint", name=SCHEDULED)
    machine = world.nodes[SCHEDULED]
    machine.agent("sync")
    assert machine.agent_status()["last"].get("schedule") is None
    assert time.time() < start
    eventually(
        lambda: "schedule" in machine.agent_status()["last"], seconds=start + 90 - time.time(), why="its slot", pause=2
    )
    shows(views, {one.machine: one.at_once for one in SITUATIONS} | {SCHEDULED: CURRENT})
    run = machine.agent_status()["last"]["schedule"]
    assert (run["result"], documents.instant(run["started"]) >= start) == ("updated", True)


def test_what_a_day_brings_to_light_and_silence_are_seen_in_each_view(world: World, views: Views) -> None:
    for _day in range(2):
        world.a_day_passes()
    shows(views, {one.machine: one.later for one in SITUATIONS})


def test_what_is_mended_is_gone_from_each_view(world: World, views: Views) -> None:
    world.site(*(one.machine for one in SITUATIONS if one.site))
    for one in SITUATIONS:
        one.mended(world, world.nodes[one.machine])
    shows(views, {one.machine: CURRENT for one in SITUATIONS})
    assert world.server.command("health", check=False).code == 0
