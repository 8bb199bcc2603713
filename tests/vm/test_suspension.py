# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine that is suspended over its slot (S4): its processor stops, and its hardware clock goes on.

The slot is noon. The agent waits for its slot from a minute before it on, and sleeps until then before that.
"""

from __future__ import annotations

import itertools

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_server import ComponentServer
from vm_machine import VirtualMachine
from vm_schedule import assert_ran_at, at_noon, next_wake, release, scheduled, version, wait_until


class Nights:
    """Days on each of which a machine sleeps over noon, while a newer release waits for it."""

    def __init__(self, host: VirtualMachine, ansible: Ansible) -> None:
        self._host, self._ansible = host, ansible
        self._days, self._releases = itertools.count(1), itertools.count(1)

    def over_noon(
        self, server: ComponentServer, url: str, *, window: str, until: str, waiting: bool = False
    ) -> tuple[str, str]:
        """Suspend the machine from before noon of a new day on, with its agent asleep or waiting for the slot.

        Returns the day, and the release that is there since.
        """
        day = f"2031-05-{next(self._days):02}"
        self._host.set_clock(f"{day}T08:00:00")
        server.publish(release(str(next(self._releases))))
        self._ansible.converge({self._host.name: at_noon(url, window=window)}).demand()
        assert self._host.agent("run", "--trigger", "manual", "--json").json()["result"] == "updated"
        newer = str(next(self._releases))
        server.publish(release(newer))
        if waiting:
            self._host.set_clock(f"{day}T11:59:10")
        else:
            self._host.set_clock(f"{day}T11:56:30")
            wait_until(self._host, f"{day}T11:56:45Z")  # the change has woken the agent, which found nothing due
        self._host.suspend(until=documents.instant(f"{day}T{until}Z"))
        return day, newer


@pytest.fixture(scope="module")
def nights(machine: VirtualMachine, ansible: Ansible) -> Nights:
    machine.start()
    return Nights(machine, ansible)


@pytest.mark.parametrize("waiting", [False, True], ids=["asleep", "waiting"])
def test_back_soon_after_the_slot_it_counts_as_on_time(
    nights: Nights, machine: VirtualMachine, component_server: ComponentServer, source: str, waiting: bool
) -> None:
    """Although its window of ten seconds has closed meanwhile."""
    day, newer = nights.over_noon(component_server, source, window="10s", waiting=waiting, until="12:00:20")
    assert_ran_at(machine, f"{day}T12:00:00Z", newer)


@pytest.mark.parametrize("waiting", [False, True], ids=["asleep", "waiting"])
def test_back_after_the_window_it_is_not_made_up_for(
    nights: Nights, machine: VirtualMachine, component_server: ComponentServer, source: str, waiting: bool
) -> None:
    day, newer = nights.over_noon(component_server, source, window="1m", waiting=waiting, until="12:02:00")
    wait_until(machine, f"{day}T12:02:30Z")
    assert scheduled(machine).get("started", "") < f"{day}T08:00:00Z"
    assert version(machine) == str(int(newer) - 1)
    assert next_wake(machine) > f"{day}T12:02:00Z"
    assert next_wake(machine) == machine.status()["next_run"]


def test_back_inside_the_window_it_runs_in_what_remains(
    nights: Nights, machine: VirtualMachine, component_server: ComponentServer, source: str
) -> None:
    day, newer = nights.over_noon(component_server, source, window="5m", until="12:02:00")
    wait_until(machine, f"{day}T12:05:01Z")
    ran = scheduled(machine)
    assert f"{day}T12:02:00Z" <= ran["started"] <= f"{day}T12:05:01Z", ran
    assert (ran["result"], version(machine)) == ("updated", newer)
