# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a fleet consists of, and where: equal in the keeper and in its clients."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path

import lab_root
from lab_root import LabError


@dataclass(frozen=True)
class Machine:
    """One machine of a fleet; ``bare`` has neither systemd as init nor polkit."""

    name: str
    address: str
    bare: bool = False


@dataclass(frozen=True)
class Plan:
    """What a fleet consists of, and where: equal in the keeper and in its clients."""

    name: str
    subnet: str
    machines: tuple[Machine, ...]

    @classmethod
    def of(cls, *, name: str, subnet: str, systemd: int, bare: int) -> Plan:
        if not name.isalnum() or len(name) > 8:
            raise LabError(f"fleet name {name!r}: at most 8 letters and digits")
        ipaddress.ip_network(f"{subnet}.0.0/16")
        nodes = [Machine(f"n{i}", f"{subnet}.1.{i}") for i in range(1, systemd + 1)]
        bares = [Machine(f"b{i}", f"{subnet}.2.{i}", bare=True) for i in range(1, bare + 1)]
        return cls(name=name, subnet=subnet, machines=(*nodes, *bares))

    @property
    def directory(self) -> Path:
        return lab_root.CACHE / "fleets" / self.name

    @property
    def gateway(self) -> str:
        return f"{self.subnet}.0.1"

    def machine(self, name: str) -> Machine:
        for machine in self.machines:
            if machine.name == name:
                return machine
        raise LabError(f"no machine {name!r} in fleet {self.name!r}")

    def upper(self, name: str) -> Path:
        """Everything that a machine ever wrote outside its tmpfs mounts (seen from the host)."""
        return self.directory / "machines" / name / "upper"

    def to_json(self) -> str:
        machines = [[m.name, m.address, m.bare] for m in self.machines]
        return json.dumps({"name": self.name, "subnet": self.subnet, "machines": machines})

    @classmethod
    def from_json(cls, text: str) -> Plan:
        raw = json.loads(text)
        return cls(name=raw["name"], subnet=raw["subnet"], machines=tuple(Machine(*m) for m in raw["machines"]))
