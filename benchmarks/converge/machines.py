# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet of a benchmark: booted, logged in to, looked into from outside, and brought back to nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import lab_root
from fleet import Fleet
from lab_plan import Plan
from manifest import Manifest, differences, manifest
from measure import Meter
from recipe import UNITS


class Machines:
    """So many systemd machines on a bridge of their own; they go down with this process, however that ends."""

    def __init__(self, *, name: str, subnet: str, count: int) -> None:
        self._fleet, self._keeper = Fleet.up(
            Plan.of(name=name, subnet=subnet, systemd=count, bare=0),
            follow=True,
        )
        self._root = lab_root.path()
        self._sockets = self._fleet.plan.directory / "ssh"
        self._sockets.mkdir()
        self.addresses = {machine.name: machine.address for machine in self._fleet.plan.machines}
        self.names = list(self.addresses)
        self.gateway = self._fleet.plan.gateway
        self.ssh_options = [
            "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
            "-o", "ControlMaster=auto", "-o", "ControlPersist=1800s", "-o", f"ControlPath={self._sockets}/%h",
        ]  # fmt: skip
        self.meter = Meter(name)
        self._before = {host: self._look(host) for host in self.names}

    def connect(self) -> None:
        """Start the SSH masters that all of Ansible's runs share."""
        self.meter.start_masters([self._ssh(host, "true") for host in self.names])

    def disconnect(self) -> None:
        """End the masters, so that the next run logs in anew."""
        for host in self.names:
            ending = ["ssh", "-q", "-O", "exit", *self.ssh_options, f"root@{self.addresses[host]}"]
            subprocess.run(ending, stdin=subprocess.DEVNULL, capture_output=True, check=False)

    def deployed(self) -> dict[str, Manifest]:
        """What each machine holds beyond what it held when it had booted."""
        found = {}
        for host in self.names:
            before = self._before[host]
            found[host] = {path: item for path, item in self._look(host).items() if before.get(path) != item}
        return found

    def compare(self, wanted: dict[str, Manifest]) -> list[str]:
        """What is not deployed as ``wanted``, one line for each path of each machine."""
        found = self.deployed()
        return [f"{host}: {line}" for host in self.names for line in differences(wanted[host], found[host])]

    def active(self, units: list[str]) -> dict[str, list[str]]:
        """Which of these units run, on every machine."""
        script = f"systemctl is-active -- {' '.join(units)} || true"
        return {
            host: [unit for unit, state in zip(units, self._ask(host, script).split()) if state == "active"]
            for host in self.names
        }

    def down(self) -> None:
        self.meter.close()
        self._fleet.down()
        self._keeper.wait(60)

    def _look(self, host: str) -> Manifest:
        return manifest(self._fleet.plan.upper(host), self._root)

    def _ask(self, host: str, script: str) -> str:
        return subprocess.run(
            self._ssh(host, script), stdin=subprocess.DEVNULL, check=True, capture_output=True, text=True
        ).stdout

    def _ssh(self, host: str, script: str) -> list[str]:
        return ["ssh", "-i", str(lab_root.KEY), *self.ssh_options, f"root@{self.addresses[host]}", script]


def timers(deployed: Manifest) -> list[str]:
    """The timers among the deployed units."""
    return [path.removeprefix(UNITS) for path in deployed if path.startswith(UNITS) and _is_timer(Path(path))]


def _is_timer(path: Path) -> bool:
    return path.suffix == ".timer" and path.parent == Path(UNITS)
