# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine whose slot is noon each day, whatever day its clock shows, and what became of its scheduled runs."""

from __future__ import annotations

import time
from typing import Any

import lab_documents as documents
from lab_nodes import eventually
from vm_machine import COMMAND_S, VirtualMachine

SERVICE = "epp-update@schedule.service"
LATE_S = 90
"""A run may begin that long after its slot: with an emulated processor the agent starts slowly."""
PAUSE_S = 5


def at_noon(url: str, *, window: str) -> dict[str, Any]:
    """The options of an endpoint whose window opens at noon, UTC, and whose slot is its first second."""
    schedule = {"frequency": "daily", "start": "12:00", "window": window, "timezone": "UTC"}
    return documents.files("vm", url, ordinal=0, policy={"schedule": schedule})


def release(version: str) -> dict[str, bytes | str]:
    """What a source serves whose newest release this is."""
    return documents.file_source(version, {"a": version.encode()})


def next_wake(machine: VirtualMachine) -> str:
    """When systemd wakes the agent next, as ISO 8601 in UTC."""
    shown = 'date -u -d "$(systemctl show -P NextElapseUSecRealtime epp-update.timer)" +%FT%TZ'
    return machine.run(shown).out.strip()


def version(machine: VirtualMachine) -> str:
    (component,) = machine.status()["components"]
    return str(component["version"])


def scheduled(machine: VirtualMachine) -> dict[str, Any]:
    """The last scheduled run; ``{}`` when there was none."""
    return dict(machine.status()["last"].get("schedule") or {})


def wait_until(machine: VirtualMachine, instant: str) -> None:
    """Return when the machine's clock has passed this time and no scheduled run is under way."""
    limit = documents.instant(instant)
    while (left := limit - machine.clock()) >= 0:
        time.sleep(left + 1)  # each look costs it seconds of its time
    state = ["systemctl", "show", "-P", "ActiveState", SERVICE]
    eventually(
        lambda: machine.run(state).out.strip() == "inactive",
        seconds=COMMAND_S,
        why="the scheduled run ends",
        pause=PAUSE_S,
    )


def assert_ran_at(machine: VirtualMachine, slot: str, release: str) -> None:
    """Its last scheduled run was that of this slot, and brought this release."""
    wait_until(machine, slot)
    ran = eventually(
        lambda: (found := scheduled(machine)) and found["started"] >= slot and found,
        seconds=COMMAND_S,
        why=f"the scheduled run of {slot}",
        pause=PAUSE_S,
    )
    assert 0 <= documents.instant(ran["started"]) - documents.instant(slot) <= LATE_S, ran
    assert (ran["result"], version(machine)) == ("updated", release), ran
