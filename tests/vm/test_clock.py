# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A clock that jumps by years, at boot and later: the schedule goes on, what was stored holds nothing up (S3, S4).

Which release is the newest is not the clock's matter, nor is how long a source may be left alone.
"""

from __future__ import annotations

import lab_documents as documents
from lab_ansible import Ansible
from lab_server import ComponentServer
from vm_machine import VirtualMachine
from vm_schedule import assert_ran_at, at_noon, next_wake, release, scheduled, version, wait_until

WINDOW = "2h"


def test_a_clock_that_was_years_ahead_at_boot(
    machine: VirtualMachine, ansible: Ansible, component_server: ComponentServer, source: str
) -> None:
    machine.start(clock="2035-06-01T08:00:00")
    component_server.publish(release("1"))
    ansible.converge({machine.name: at_noon(source, window=WINDOW)}).demand()
    assert machine.agent("run", "--trigger", "manual", "--json").json()["result"] == "updated"
    assert next_wake(machine) == machine.status()["next_run"] == "2035-06-01T12:00:00Z"
    component_server.publish(release("2"))
    component_server.answer(429, headers=("Retry-After 7200",))
    told = machine.agent("run", "--trigger", "manual", "--json", check=False).json()
    assert told["result"] == "cooling_down", told
    assert told["until"].startswith("2035-06-01T1"), told
    component_server.answer(None)

    machine.set_clock("2031-03-02T11:59:05")
    assert_ran_at(machine, "2031-03-02T12:00:00Z", "2")
    assert next_wake(machine) == machine.status()["next_run"] == "2031-03-03T12:00:00Z"

    ran = scheduled(machine)
    component_server.publish(release("3"))
    component_server.forget()
    machine.set_clock("2031-03-02T11:59:30")  # back inside what has been run
    wait_until(machine, "2031-03-02T12:01:31Z")
    assert (scheduled(machine)["started"], version(machine)) == (ran["started"], "2")
    assert component_server.requests() == []
    assert next_wake(machine) == "2031-03-03T12:00:00Z"

    machine.set_clock("2031-03-03T11:59:05")
    assert_ran_at(machine, "2031-03-03T12:00:00Z", "3")


def test_a_clock_that_is_years_behind_after_a_boot(
    machine: VirtualMachine, ansible: Ansible, component_server: ComponentServer, source: str
) -> None:
    machine.cut_power()
    machine.start(clock="2031-03-04T08:00:00")
    component_server.publish(release("4"))
    ansible.converge({machine.name: at_noon(source, window=WINDOW)}).demand()
    machine.set_clock("2031-03-04T11:59:05")
    assert_ran_at(machine, "2031-03-04T12:00:00Z", "4")
    machine.run(["sync"])
    machine.cut_power()

    machine.start(clock="2015-06-01T08:00:00")
    # systemd itself lifts a clock that is older than systemd is.
    assert machine.clock() < documents.instant("2031-03-04T08:00:00Z")
    component_server.publish(release("5"))
    machine.set_clock("2015-06-01T11:59:05")
    assert_ran_at(machine, "2015-06-01T12:00:00Z", "5")

    component_server.publish(release("6"))
    machine.set_clock("2031-03-05T11:59:05")
    assert_ran_at(machine, "2031-03-05T12:00:00Z", "6")
    assert next_wake(machine) == machine.status()["next_run"] == "2031-03-06T12:00:00Z"
