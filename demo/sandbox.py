# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet of the demonstration: directories that stand for one update server, its six endpoints, and one without."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

from scanner import SAMPLE

HERE = Path(__file__).parent
SERVER = "server"
OFFICE = ("office1", "office2", "office3")
PLANT = ("plant1", "plant2", "plant3")
HOSTS = (*OFFICE, *PLANT)
PROGRAM_OF = "plant3"
GATEWAY = "gateway"
VENDORS = "vendors"
"""What the vendors of the products of ``GATEWAY`` serve."""
INVENTORY, STANDALONE = "inventory.yml", "standalone.yml"
PUBLIC = "var/lib/epp-autoupdate-public"
REPORTS = "var/lib/epp-autoupdate-reports"
_RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


class Unexpected(Exception):
    """The story went otherwise than it should; the message says how."""


def in_words(schedule: dict[str, str]) -> str:
    if "start" not in schedule:
        return f"every {schedule['interval']} hours"
    return f"{schedule['frequency']} from {schedule['start']} for {schedule['window']}"


class Sandbox:
    """Runs the collection's playbooks, and the programs that they installed, below ``directory``."""

    def __init__(self, directory: Path, url: str, vendors: str) -> None:
        self.directory = directory
        self._variables = {"demo_fleet": str(directory), "demo_url": url, "demo_vendors": vendors}

    def playbook(self, name: str, *flags: str, inventory: str = INVENTORY) -> str:
        """Run one of the collection's playbooks; returns what it printed."""
        return self._ansible(["ansible-playbook", f"epp.autoupdate.{name}", *flags], inventory)

    def task(self, host: str, module: str, **options: Any) -> str:
        """Run one task on one host; returns what it printed."""
        return self._ansible(["ansible", host, "-m", f"epp.autoupdate.{module}", "-a", json.dumps(options)], INVENTORY)

    def site(self, *flags: str, inventory: str = INVENTORY) -> dict[str, int]:
        """Run ``site``; returns the number of changed tasks of each host, as the recap says."""
        recap = _RECAP.findall(self.playbook("site", *flags, inventory=inventory))
        return {host: int(changed) for host, _ok, changed, _unreachable, _failed in recap}

    def found(self) -> None:
        """What is on the endpoints before anybody converges them: the host key of each, and a program of one."""
        for host in (*HOSTS, GATEWAY):
            key = self.directory / host / "etc/ssh/ssh_host_ed25519_key"
            key.parent.mkdir(parents=True)
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        program = self.directory / PROGRAM_OF / "opt/conveyor.conf"
        program.parent.mkdir(parents=True)
        program.write_text("start conveyor 1 at 06:00\n", encoding="utf-8")

    def agent(self, host: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a host's own agent, the very file that the converge put there."""
        return self._program(host, "epp-agent", arguments)

    def server(self, *arguments: str, code: int = 0) -> Any:
        """Run the server's own program, which is to end with this code; returns its JSON."""
        return json.loads(self._served((*arguments, "--json"), code))

    def said(self, *arguments: str) -> list[str]:
        """Run the server's own program as people do; returns the lines that it printed."""
        return self._served(arguments, 0).splitlines()

    def _served(self, arguments: tuple[str, ...], code: int) -> str:
        done = self._program(SERVER, "epp-server", arguments)
        if done.returncode != code:
            raise Unexpected(
                f"epp-server {' '.join(arguments)} ended with {done.returncode}: {done.stdout}{done.stderr}"
            )
        return done.stdout

    def status(self, host: str) -> dict[str, Any]:
        return dict(json.loads(self.agent(host, "status", "--json").stdout))

    def versions(self, host: str) -> dict[str, str]:
        return {component["name"]: component["version"] for component in self.status(host)["components"]}

    def upstream(self, version: str, *signatures: str) -> None:
        """The vendor brings out a version: three pattern files, of which one is another each time, with ``signatures``
        beside those that it always has."""
        folder = self.directory / SERVER / "srv/upstream/patterns"
        folder.mkdir(parents=True, exist_ok=True)
        (folder.parent / "VERSION").write_text(f"{version}\n", encoding="utf-8")
        (folder / "base.dat").write_bytes(bytes(range(256)) * 2048)
        (folder / "network.dat").write_bytes(b"network signatures\n" * 4096)
        usual = [f"Demo.Sample-1:{SAMPLE}", *(f"Demo.Worm-{number}:worm {number};" for number in range(2048))]
        text = "\n".join([f"daily signatures, version {version}", *usual, *signatures])
        (folder / "daily.dat").write_text(f"{text}\n", encoding="utf-8")

    def newest(self) -> str:
        """The name of what the vendor changed last, as the server publishes it: its SHA-256."""
        return sha256((self.directory / SERVER / "srv/upstream/patterns/daily.dat").read_bytes()).hexdigest()

    def published(self, name: str) -> Path:
        """A file of the server's public directory."""
        return self.directory / SERVER / PUBLIC / name

    def moments_later(self, name: str) -> None:
        """Wait until a published file is three seconds old: younger ones are fetched again without a condition, for
        they could change once more within the second that HTTP's dates have."""
        time.sleep(max(0.0, self.published(name).stat().st_mtime + 3 - time.time()))

    def switch_off(self, host: str) -> None:
        """As good as off: nobody is there to be talked to."""
        (self.directory / host).rename(self.directory / f"{host}.off")

    def switch_on(self, host: str) -> None:
        """On again, after a boot that its kernel gives another name."""
        (self.directory / f"{host}.off").rename(self.directory / host)
        boot = self.directory / host / "proc/sys/kernel/random/boot_id"
        boot.parent.mkdir(parents=True, exist_ok=True)
        boot.write_text("another boot\n", encoding="utf-8")

    def _program(self, host: str, name: str, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        root = self.directory / host
        command = [str(root / "usr/local/bin" / name), "--root", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def _ansible(self, command: list[str], inventory: str) -> str:
        argv = [*command, "-i", str(HERE / inventory), "-e", json.dumps(self._variables)]
        quiet = {"ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_DEPRECATION_WARNINGS": "false"}
        done = subprocess.run(argv, env={**os.environ, **quiet}, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unexpected(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout
