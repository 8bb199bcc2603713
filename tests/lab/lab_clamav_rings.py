# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A vendor, an update server and twelve endpoints with clamd in three rings: a version goes on without anybody."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import lab_documents as documents
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.simulate import Assumptions, Member, simulate
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.rollout import RolloutSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from lab_ansible import Ansible
from lab_nodes import Node, eventually
from lab_server import ComponentServer
from lab_update_server import PUBLIC, Served, UpdateServer

SERVER = "n122"
RINGS = {
    "canary": ("n123", "n124"),
    "early": ("n125", "n126", "n127", "n128"),
    "broad": ("n129", "n130", "n131", "n132", "n133", "n134"),
}
FLEET = tuple(name for members in RINGS.values() for name in members)
MIRROR = "components/clamav"
SAMPLE, CLEAN = "/srv/probe/sample", "/bin/ls"
MARK = "EPP-LAB-MARK"
DIES = '[ "$CLAM_VIRUSEVENT_VIRUSNAME" = Lab.Kill.UNOFFICIAL ] && kill -9 $(pidof clamd)'
"""What clamd does where it finds this: with a database that finds it in a clean file, it ends when it scans."""
Databases = Callable[[int], Mapping[str, Path]]


def signature(name: str, marker: str) -> str:
    """A line of a ``.ndb`` database that finds the marker anywhere in any file."""
    return f"{name}:0:*:{marker.encode().hex()}\n"


class World:
    """What the tests of this fleet ask of it."""

    def __init__(self, upstream: ComponentServer, server: UpdateServer, nodes: Mapping[str, Node], ansible: Ansible):
        self.upstream, self.server, self.nodes = upstream, server, nodes
        self._ansible = ansible
        self.pip = ""

    # --- the vendor and the server

    def offer(self, databases: Mapping[str, Path], own: str) -> None:
        """What the vendor has from now on; a plain file has a time of its own second, by which it is told apart."""
        time.sleep(1.1)
        self.upstream.publish({**databases, "lab.ndb": own})

    def fetch(self) -> str:
        """Let the server's own unit fetch, as its timer does; returns the version that is the newest then."""
        done = self.server.node.run(["systemctl", "start", "epp-server-fetch.service"], check=False)
        assert done.code == 0, self.server.node.journal(unit="epp-server-fetch.service")
        return str(self.rollout()["newest"])

    def rollout(self) -> dict[str, Any]:
        (found,) = self.server.command("rollout", "status", "--json").json()
        return dict(found)

    def offered(self) -> dict[str, str]:
        """Ring to the version that it is offered."""
        return {ring["name"]: ring["offered"] for ring in self.rollout()["rings"]}

    def hurry(self) -> None:
        self.server.node.run(["systemctl", "start", "epp-server-promote.service", "epp-server-notify.service"])

    def halted(self, version: str) -> dict[str, Any]:
        """Wait until a version is halted; returns the stop."""

        def stop() -> dict[str, Any] | None:
            return next((one for one in self.rollout()["stops"] if one["version"] == version), None)

        return dict(eventually(stop, seconds=240, why=f"{version} is halted"))

    def through(self, version: str) -> None:
        """Wait until every ring has passed a version. The jobs run more often than their timers let them."""

        def passed() -> bool:
            self.hurry()
            rings = self.rollout()["rings"]
            return all(ring["offered"] == version and ring["phase"] == "idle" for ring in rings)

        eventually(passed, seconds=480, pause=2, why=f"{version} is through")

    def courses(self, version: str) -> tuple[list[int], list[int]]:
        """How many had begun a version as each ring was offered it, and at the end: here, and by the simulator."""
        events = [one for one in self.rollout()["events"] if one["version"] == version]
        offered = {one["ring"]: documents.instant(one["at"]) for one in events if one["kind"] == "offered"}
        assert list(offered) == list(reversed(RINGS)), events
        begun = {name: self._began(name) for name in FLEET}
        within = max(begun[name] - offered[ring] for ring, members in RINGS.items() for name in members)
        here = [sum(at < instant for at in begun.values()) for instant in sorted(offered.values())]
        fleet = [Member(name, "", number) for number, name in enumerate(FLEET)]
        assumed = Assumptions(update_within=math.ceil(within), step=1)
        rings = RolloutSettings.from_dict({"clamav": self._rings()}).products["clamav"]
        course = simulate(rings, iter(fleet), assumed)
        steps = [one.offered for one in course.rings if one.offered is not None]
        until = [simulate(rings, iter(fleet), replace(assumed, longest=math.ceil(at) - 1)).begun for at in steps]
        seconds = [at - min(offered.values()) for at in sorted([*offered.values(), *begun.values()])]
        print(f"\nthrough three rings: {seconds} s; simulated {course.end:.0f} s, {within:.0f} s for an update")
        return [*here, len(begun)], [*until, course.begun]

    def _began(self, name: str) -> float:
        """When an endpoint began the run that changed a component last."""
        runs = [run for run in self.nodes[name].agent_status()["last"].values() if run.get("changed")]
        return max(documents.instant(run["started"]) for run in runs)

    def reached(self, version: str, names: Iterable[str]) -> None:
        """Wait until these endpoints have a version of the signed database, each offered it by its ring."""

        def there() -> bool:
            self.hurry()
            return {one["test"] for one in self.versions(names).values()} == {version}

        eventually(there, seconds=480, pause=2, why=f"test {version} is on {', '.join(names)}")

    # --- the endpoints

    def prepare(self) -> None:
        for node in self.nodes.values():
            node.run(f"mkdir -p /srv/probe; printf {MARK} >{SAMPLE}; rm -rf /var/lib/clamav/*")
            node.run(f"printf 'VirusEvent {DIES}\\n' >/srv/probe/event; cat /srv/probe/event >>/etc/clamav/clamd.conf")
            node.run(["systemctl", "enable", "-q", "clamav-daemon"])

    def works(self, name: str) -> bool:
        """Whether clamd of an endpoint finds the sample, and nothing in a clean file."""
        found = self.nodes[name].run(["clamdscan", "--fdpass", "--no-summary", SAMPLE, CLEAN], check=False).out
        return f"{SAMPLE}: Lab.Mark.UNOFFICIAL FOUND" in found and f"{CLEAN}: OK" in found

    def versions(self, names: Iterable[str] = FLEET) -> dict[str, dict[str, str]]:
        """Endpoint to its components and their versions."""
        told = {name: self.nodes[name].agent_status()["components"] for name in names}
        return {name: {one["name"]: one["version"] for one in some} for name, some in told.items()}

    def idle(self, names: Iterable[str]) -> None:
        """Wait until no update runs on these endpoints: one of them may be on trial while another has failed."""

        def rest() -> bool:
            return not any(self.nodes[name].agent_status()["running"] for name in names)

        eventually(rest, seconds=180, why=f"no update runs on {', '.join(names)}")

    def update(self, name: str) -> tuple[str, str]:
        """Update Now on an endpoint; its result and the reason."""
        run = self.nodes[name].agent("update-now", "--json", check=False).json()
        return str(run["result"]), str(run["reason"])

    # --- what went over the network

    def asked(self, name: str) -> list[Served]:
        """What an endpoint has asked of the mirror."""
        address = self.nodes[name].machine.address
        return [one for one in self.server.requests(below=MIRROR) if one.client == address]

    def strangers(self) -> list[tuple[str, str]]:
        """Who has asked for what of another ring's channel, or of the mirror beside the channels."""
        allowed = {name: f"{MIRROR}/channels/{ring}/" for ring, members in RINGS.items() for name in members}
        return [
            (name, one.path) for name, below in allowed.items() for one in self.asked(name) if below not in one.path
        ]

    def has(self, ring: str, content: str) -> bool:
        """Whether the channel of a ring has this content."""
        digest = hashlib.sha256(content.encode()).hexdigest()
        return digest in self.server.node.run(["sha256sum", f"{PUBLIC}/{MIRROR}/channels/{ring}/lab.ndb"]).out

    # --- the inventory

    def site(self, *, but: str = "") -> Any:
        """Converge all of it, without one that is off."""
        clamav = {"databases": [], "extra": {name: f"{self.upstream.url}/{name}" for name in ("test.cvd", "lab.ndb")}}
        clamav |= {"nameserver": self.upstream.address, "requests_per_hour": 100_000}
        own: dict[str, Any] = {"autoupdate_server_components": {"clamav": clamav}}
        own |= {"autoupdate_server_fetch": {"every": "1d"}, "autoupdate_server_rollout": {"clamav": self._rings()}}
        own |= {"autoupdate_server_install": True, "autoupdate_server_cvdupdate_pip_arguments": self.pip}
        hosts = {name: self._endpoint() for name in FLEET if name != but}
        return self._ansible.site({self.server.name: self.server.variables(**own), **hosts}).demand()

    def _rings(self) -> dict[str, Any]:
        rings = [{"name": name, "endpoints": list(members)} for name, members in list(RINGS.items())[:2]]
        return {"rings": [*rings, {"name": "broad"}], "bake_time": "1s", "failure_threshold": "0"}

    def _endpoint(self) -> dict[str, Any]:
        policy: dict[str, Any] = {"events": {"update_on_reconnect": True}}
        policy["schedule"] = documents.quiet("x")["policy"]["schedule"]
        return {
            "autoupdate_product": "clamav",
            "autoupdate_clamav": {"databases": ["test"], "custom_urls": [f"{self.server.url}/{MIRROR}/lab.ndb"]},
            "autoupdate_probe": {"find": [SAMPLE], "clean": [CLEAN], "timeout": "60s"},
            "autoupdate_reconnect": {"probe": "10s", "jitter": "0s", "wait": "60s"},
            "autoupdate_policy": policy,
        }
