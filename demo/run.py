# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demonstration behind ``make demo``: a sandbox fleet from its first converge to its second version.

Runs the collection's own playbooks by their full names, on six directories that stand for hosts, against a real HTTP
server on loopback. Needs no root. Ends with 1 when anything is not as the story says.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from publisher import Publisher

HERE = Path(__file__).parent
HOSTS = ("office1", "office2", "office3", "plant1", "plant2", "plant3")
_PLAN = re.compile(r'^\s+"(\d+ endpoint.*)",?$', re.MULTILINE)
_RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


class Unexpected(Exception):
    """The story went otherwise than it should; the message says how."""


class Fleet:
    """The sandbox fleet: directories below ``directory``."""

    def __init__(self, directory: Path, source: str) -> None:
        self._directory = directory
        self._variables = {"demo_fleet": str(directory), "demo_source": source}

    def playbook(self, name: str, **variables: str) -> str:
        """Run one of the collection's playbooks on the fleet; returns what it printed."""
        command = ["ansible-playbook", "-i", str(HERE / "inventory.yml"), f"epp.autoupdate.{name}"]
        command += ["-e", json.dumps({**self._variables, **variables})]
        environment = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_DEPRECATION_WARNINGS": "false"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unexpected(f"{name} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def converge(self) -> dict[str, int]:
        """Run ``site``; returns the number of changed tasks of each host, as the recap says."""
        recap = _RECAP.findall(self.playbook("site"))
        return {host: int(changed) for host, _ok, changed, _unreachable, _failed in recap if host in HOSTS}

    def agent(self, host: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a host's own agent, the very file that the converge put there."""
        root = self._directory / host
        command = [str(root / "usr/local/bin/epp-agent"), "--root", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def versions(self, host: str) -> dict[str, str]:
        status = json.loads(self.agent(host, "status", "--json").stdout)
        return {component["name"]: component["version"] for component in status["components"]}


def main() -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="epp-demo-") as scratch:
        publisher = Publisher(Path(scratch) / "source")
        try:
            facts = tell(Fleet(Path(scratch) / "fleet", publisher.url), publisher)
        except Unexpected as problem:
            print(f"\nThe demo failed: {problem}")
            return 1
        finally:
            publisher.stop()
    print("\nSummary")
    for fact in (*facts, f"{time.monotonic() - began:.0f} s from the first converge to this line"):
        print(f"  - {fact}")
    return 0


def tell(fleet: Fleet, publisher: Publisher) -> list[str]:
    """The story, step by step; returns its facts."""
    publisher.publish("1", components(daily="1"))
    print("1. First converge: six endpoints in two domains, one task each (epp.autoupdate.site)")
    first = converged(fleet, expect_change=True)
    print("2. The same again: nothing to do")
    second = converged(fleet, expect_change=False)
    print("3. Update Now on all (epp.autoupdate.update_now): version 1")
    update(fleet, publisher, "1")
    print("4. The source publishes version 2, in which one file of three differs; Update Now again")
    publisher.publish("2", components(daily="2"))
    fetched = update(fleet, publisher, "2")
    print("5. What users may do")
    users(fleet)
    print("6. When everybody updates next, and the load on the server (epp.autoupdate.preview)")
    plan(fleet)
    return [
        f"{len(first)} endpoints converged, {sum(first.values())} tasks changed; again: {sum(second.values())} changed",
        f"version 1 to 2 on {len(HOSTS)} endpoints, {fetched} files fetched for it: the one that differed, once each",
        "a user's switch survived the next converge, and what no privilege grants was refused",
    ]


def components(*, daily: str) -> dict[str, bytes]:
    """Three pattern files of some size, of which one is another with every version."""
    return {
        "patterns/base.dat": bytes(range(256)) * 2048,
        "patterns/network.dat": b"network signatures\n" * 4096,
        "patterns/daily.dat": f"daily signatures, version {daily}\n".encode() * 2048,
    }


def converged(fleet: Fleet, *, expect_change: bool) -> dict[str, int]:
    changed = fleet.converge()
    print("   " + "  ".join(f"{host} changed={count}" for host, count in changed.items()))
    if set(changed) != set(HOSTS) or any((count > 0) != expect_change for count in changed.values()):
        raise Unexpected(f"tasks changed: {changed}")
    return changed


def update(fleet: Fleet, publisher: Publisher, version: str) -> int:
    """Update Now on every endpoint; returns how many component files were fetched."""
    publisher.requests.clear()
    fleet.playbook("update_now")
    for host in HOSTS:
        versions = fleet.versions(host)
        print(f"   {host}: " + ", ".join(f"{name} {number}" for name, number in sorted(versions.items())))
        if versions.get("patterns-daily") != version:
            raise Unexpected(f"{host} has {versions}")
    fetched = publisher.requests["component 200"]
    print(f"   requests: {', '.join(f'{count} x {kind}' for kind, count in sorted(publisher.requests.items()))}")
    return fetched


def users(fleet: Fleet) -> None:
    asked(fleet, "office1", "schedule", "disable", granted=True)
    asked(fleet, "plant1", "schedule", "disable", granted=False)
    asked(fleet, "office2", "roaming", "on", granted=True)
    asked(fleet, "plant1", "update-now", "--as-user", granted=False)
    changed = fleet.converge()
    switch = json.loads(fleet.agent("office1", "status", "--json").stdout)["switch"]
    print(f"   after another converge (changed={sum(changed.values())}) office1 still has its switch off")
    if switch is not False or any(changed.values()):
        raise Unexpected(f"switch {switch}, changed {changed}")


def asked(fleet: Fleet, host: str, *request: str, granted: bool) -> None:
    done = fleet.agent(host, *request)
    words = " ".join(request)
    print(f"   {host}: epp-agent {words}: {'done' if done.returncode == 0 else done.stderr.strip()}")
    if (done.returncode == 0) != granted:
        raise Unexpected(f"{host}: {words} ended with {done.returncode}: {done.stderr}")


def plan(fleet: Fleet) -> None:
    for host in HOSTS:
        status = json.loads(fleet.agent(host, "status", "--json").stdout)
        print(f"   {host}: next run {status['next_run'] or 'none (switched off by its user)'}")
    lines = _PLAN.findall(fleet.playbook("preview"))
    if not lines:
        raise Unexpected("preview told nothing")
    for line in lines:
        print(f"   {line}")


if __name__ == "__main__":
    raise SystemExit(main())
