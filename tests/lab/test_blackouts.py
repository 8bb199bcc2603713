# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blackouts on real schedulers: nothing starts in one, what may pass passes, and it goes on by itself after it (G7)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_nodes import Node, eventually

SYSTEMD, CRON = "n1", "b1"
LENGTH_S = 120


@pytest.fixture(scope="module")
def freeze(ansible: Ansible) -> tuple[int, int]:
    """Two minutes, of which the next minute is the first, on a systemd machine and on a bare one with cron.

    Both update every minute.
    """
    wanted = {name: documents.command(name, policy=policy()) for name in (SYSTEMD, CRON)}
    ansible.converge(wanted).demand()
    begin = (int(time.time()) // 60 + 2) * 60
    blackout = {"name": "freeze", "from": stamp(begin), "to": stamp(begin + LENGTH_S)}
    wanted = {
        name: documents.command(name, policy=policy(blackouts=[blackout], blackout_exceptions=[]))
        for name in (SYSTEMD, CRON)
    }
    ansible.converge(wanted).demand()
    return begin, begin + LENGTH_S


@pytest.mark.heavy  # it waits for minutes
@pytest.mark.parametrize("name", [SYSTEMD, CRON])
def test_no_update_starts_in_a_blackout_and_the_schedule_goes_on_after_it(
    node: Callable[[str], Node], freeze: tuple[int, int], name: str
) -> None:
    machine, (begin, end) = node(name), freeze
    if time.time() < end - 20:  # one of the two machines may be looked at after it
        told = eventually(lambda: skipped(machine), seconds=end - time.time(), why=f"a skipped run on {name}")
        assert (told["reason"], documents.instant(told["until"])) == ("blackout freeze", end)
        assert begin <= documents.instant(told["started"]) < end
        refused = machine.agent("run", "--trigger", "download", "--json", check=False).json()
        assert (refused["result"], documents.instant(refused["until"])) == ("skipped", end)
        assert machine.agent("update-now", "--json", check=False).json()["result"] == "skipped"
        assert machine.agent("update-now", "--despite-blackout", "--json").json()["result"] == "current"
    run = eventually(lambda: after(machine, end), seconds=end + 100 - time.time(), why=f"a run on {name} after it")
    assert run["result"] == "current", run
    assert runs_in(machine, begin, end) == []


def test_systemd_wakes_for_the_slot_in_what_a_blackout_leaves(
    node: Callable[[str], Node], freeze: tuple[int, int]
) -> None:
    del freeze
    machine = node(SYSTEMD)
    daily = {"start": "12:00", "window": "2h", "blackouts": [{"name": "noon", "from": "11:00", "to": "13:30"}]}
    machine.apply(documents.command(SYSTEMD, ordinal=7, policy={"schedule": daily}))
    slot = documents.instant(machine.agent_status()["next_run"])
    assert slot % 86400 >= 13.5 * 3600
    unit = machine.read("/etc/systemd/system/epp-update.timer")
    expressions = re.findall(r"^OnCalendar=(.+)$", unit, re.MULTILINE)
    told = machine.run(["env", "TZ=UTC", "systemd-analyze", "calendar", *expressions]).out
    found = re.findall(r"Next elapse: \w{3} (\S+ \S+) UTC", told)
    assert slot in {datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp() for text in found}
    machine.run(["systemctl", "is-active", "-q", "epp-update.timer"])


def policy(**keys: Any) -> dict[str, Any]:
    return {"schedule": {"frequency": "minutes", "interval": 1, **keys}}


def stamp(instant: int) -> str:
    return datetime.fromtimestamp(instant, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def skipped(machine: Node) -> Any:
    run = machine.agent_status()["last"].get("schedule")
    return run if run and run["result"] == "skipped" else None


def after(machine: Node, end: int) -> Any:
    run = machine.agent_status()["last"].get("schedule")
    return run if run and run["result"] != "skipped" and documents.instant(run["started"]) >= end else None


def runs_in(machine: Node, begin: int, end: int) -> list[str]:
    """The scheduled updates that the journal has of the time of the blackout; a bare machine has no journal."""
    argv = ["journalctl", "--no-pager", "-o", "short-unix", "-t", "epp-agent", f"--since=@{begin}"]
    lines = machine.run(argv, check=False).out.splitlines()
    runs = [line for line in lines if "update (schedule): current" in line]
    return [line for line in runs if begin <= float(line.split()[0]) < end]
