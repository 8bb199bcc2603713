# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The night of the demonstration: a bad version reaches the first ring and nobody else, and is taken back."""

from __future__ import annotations

import shlex
import time

from sandbox import HOSTS, PROGRAM_OF, SERVER, Sandbox, Unexpected
from web import WebServer

CANARIES = ("office3", PROGRAM_OF)
BAKE_S = 2
_RINGS = [{"name": "canary", "endpoints": list(CANARIES), "failure_threshold": "0"}, {"name": "broad"}]
_BAD = "Demo.Trojan-7:start"
"""A signature that is too short: clean files have it, too."""
_REASON = "it takes conveyor.conf for malware"


def rings(fleet: Sandbox) -> None:
    """G1: one task on the server; endpoints learn of their ring by their signed configuration."""
    root = str(fleet.directory / SERVER)
    fleet.task(SERVER, "rollout", installroot=root, product="files", rings=_RINGS, bake_time=f"{BAKE_S}s")
    fleet.server("publish")
    for host in HOSTS:
        fleet.agent(host, "sync")
    reported(fleet)
    told(fleet.said("rollout", "status", "--events", "0"))


def bad_version(fleet: Sandbox, web: WebServer) -> None:
    """G3, G4: nobody is awake. The probe of one canary fails, and the version is halted by the server's own timer."""
    fleet.upstream("3", _BAD)
    (report,) = fleet.server("fetch", "--notify", code=1)
    for row in fleet.server("campaigns", report["campaign"]):
        print(f"   {row['endpoint']}: {'; '.join(filter(None, (row['result'], row['reason'])))}")
    reported(fleet)
    told(fleet.said("promote"))
    others = [host for host in HOSTS if host not in CANARIES]
    for host in others:
        fleet.agent(host, "update-now")
    told([f"all others, after one more update of each: {versions(fleet, others)}"])
    told([f"downloads of the bad file, by the web server's log: {web.downloads(fleet.newest())}"])
    expect(fleet, {"office3": "3", PROGRAM_OF: "2", "plant1": "2", "plant2": "2"})


def morning(fleet: Sandbox) -> None:
    """G5: one command, with a reason; whoever has the bad version goes back to the one before."""
    told(fleet.said("rollout", "status", "--events", "0"))
    decision = ("rollout", "abort", "--reason", _REASON, "--by", "operator")
    told([f"$ {shlex.join(['epp-server', *decision])}", *fleet.said(*decision)])
    for host in CANARIES:
        told([f"{host}: {fleet.agent(host, 'update-now').stdout.strip()}"])
    expect(fleet, dict.fromkeys(CANARIES, "2"))


def next_version(fleet: Sandbox) -> None:
    """G2: the canaries have it, keep it for the bake time, and all others get it."""
    fleet.upstream("4")
    fleet.server("fetch", "--notify")
    told([f"canaries: {versions(fleet, CANARIES)}"])
    reported(fleet)
    fleet.server("promote")
    time.sleep(BAKE_S + 0.1)
    told(fleet.said("promote"))
    fleet.server("notify")
    told([f"all: {versions(fleet, HOSTS)}"])
    expect(fleet, dict.fromkeys(("office1", "plant1", "plant2", *CANARIES), "4"))


def reported(fleet: Sandbox) -> None:
    """R4: what endpoints have sent, each signed with its host's key, is taken in; the canaries are asked for theirs."""
    fleet.server("ingest")
    results = fleet.server("ask-reports", *CANARIES)["results"]
    if results != {"taken": len(CANARIES)}:
        raise Unexpected(f"reports: {results}")


def versions(fleet: Sandbox, hosts: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"{host} {fleet.versions(host).get('patterns-daily')}" for host in hosts)


def expect(fleet: Sandbox, wanted: dict[str, str]) -> None:
    found = {host: fleet.versions(host).get("patterns-daily") for host in wanted}
    if found != wanted:
        raise Unexpected(f"versions: {found}, not {wanted}")


def told(lines: list[str]) -> None:
    for line in lines:
        print(f"   {line}".rstrip())
