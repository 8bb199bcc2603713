# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The story that the demonstration tells, step by step; each step checks what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from sandbox import HOSTS, OFFICE, PLANT, PUBLIC, SERVER, Sandbox, Unexpected
from web import WebServer

ROAMING, OFF = "office2", "plant2"
_PLAN = re.compile(r'^\s+"(\d+ endpoint.*)",?$', re.MULTILINE)


def tell(fleet: Sandbox, web: WebServer) -> list[str]:
    """The story; returns its facts."""
    fleet.upstream("1")
    print("1. First converge: an update server and six endpoints in two domains (epp.autoupdate.site)")
    first = converged(fleet, expect_change=True)
    print("2. The same again: nothing to do")
    converged(fleet, expect_change=False)
    print("3. The server fetches version 1 and notifies everyone who is behind")
    web.requests.clear()
    notified(fleet, "1", expect={**dict.fromkeys(HOSTS, "updated")})
    print(f"   requests: {web.count()}")
    print(f"4. Version 2 is out, {ROAMING} is roaming by its user's word, {OFF} is off")
    out = missed(fleet, web)
    print(f"5. {OFF} boots, and catches up by itself")
    returned(fleet)
    print("6. What users may do")
    users(fleet)
    print("7. A policy change for the domain office: one task, on the server alone")
    changed_policy(fleet, web)
    print("8. Somebody changes what the web server serves")
    tampered(fleet)
    print("9. When everybody updates next, and the load on the server (epp.autoupdate.preview)")
    plan(fleet)
    return [
        f"{len(HOSTS)} endpoints and their server converged, {sum(first.values())} tasks changed; again: 0 changed",
        f"version 2 reached {out} endpoints by one notice each, {OFF} when it was back; {ROAMING} was left alone",
        "a domain's new policy reached its three endpoints without Ansible touching them, and nobody else",
        "what no privilege grants was refused, and so was what the server had not signed",
    ]


def converged(fleet: Sandbox, *, expect_change: bool) -> dict[str, int]:
    changed = fleet.site()
    print("   " + "  ".join(f"{host} changed={count}" for host, count in changed.items()))
    if set(changed) != {SERVER, *HOSTS} or any((count > 0) != expect_change for count in changed.values()):
        raise Unexpected(f"tasks changed: {changed}")
    return changed


def notified(fleet: Sandbox, version: str, *, expect: dict[str, str]) -> None:
    """Fetch, notify, and compare what the record says with what is expected of each endpoint."""
    (report,) = fleet.server("fetch", "--notify")
    print(f"   epp-server fetch: {report['result']}, version {report['version']}, campaign {report['campaign']}")
    told = {row["endpoint"]: row for row in fleet.server("campaigns", report["campaign"])}
    for host, row in sorted(told.items()):
        words = "; ".join(part for part in (row["result"], row["why"]) if part)
        print(
            f"   {host}: {row['stage']}: {words}; daily patterns {fleet.versions(host).get('patterns-daily', 'none')}"
        )
    if {host: row["result"] for host, row in told.items()} != expect:
        raise Unexpected(f"campaign {report['campaign']}: {told}")


def missed(fleet: Sandbox, web: WebServer) -> int:
    """A version that one endpoint may not hear of, and another one can't."""
    asked(fleet, ROAMING, "roaming", "on", granted=True)
    fleet.switch_off(OFF)
    fleet.upstream("2")
    web.requests.clear()
    (report,) = fleet.server("fetch", "--notify")
    told = {row["endpoint"]: row for row in fleet.server("campaigns", report["campaign"])}
    updated = [host for host, row in told.items() if row["result"] == "updated"]
    print(f"   version 2 on {', '.join(sorted(updated))}")
    for host in (ROAMING, OFF):
        print(
            f"   {host}: {told[host]['stage']}: {told[host]['result']}; {told[host]['why']}".replace(
                str(fleet.directory), "..."
            )
        )
    print(f"   requests: {web.count()}")
    (again,) = fleet.server("fetch", "--notify")
    print(f"   fetched again: {again['result']}, campaign {again['campaign'] or 'none'}")
    left = (told[ROAMING]["result"], told[OFF]["stage"])
    if set(updated) != set(HOSTS) - {ROAMING, OFF} or left != ("skipped", "retry") or again["campaign"]:
        raise Unexpected(f"campaign {report['campaign']}: {told}, then {again}")
    return len(updated)


def returned(fleet: Sandbox) -> None:
    """E2: what a boot, or the server's return, starts on an endpoint."""
    fleet.switch_on(OFF)
    done = fleet.agent(OFF, "run", "--trigger", "reconnect")
    print(f"   {OFF}: {done.stdout.strip()}")
    if fleet.versions(OFF).get("patterns-daily") != "2":
        raise Unexpected(f"{OFF} has {fleet.versions(OFF)}: {done.stdout}{done.stderr}")


def users(fleet: Sandbox) -> None:
    asked(fleet, "office1", "schedule", "disable", granted=True)
    asked(fleet, "plant1", "schedule", "disable", granted=False)
    asked(fleet, "plant1", "update-now", "--as-user", granted=False)


def asked(fleet: Sandbox, host: str, *request: str, granted: bool) -> None:
    done = fleet.agent(host, *request)
    words = " ".join(request)
    print(f"   {host}: epp-agent {words}: {'done' if done.returncode == 0 else done.stderr.strip()}")
    if (done.returncode == 0) != granted:
        raise Unexpected(f"{host}: {words} ended with {done.returncode}: {done.stderr}")


def changed_policy(fleet: Sandbox, web: WebServer) -> None:
    """C1, P2: set once on the server, fetched by those whom it concerns."""
    before = {host: fleet.status(host)["policy"]["schedule"] for host in HOSTS}
    fleet.task(
        SERVER, "update_schedule", **on_server(fleet), scope="domain", name="office", start="22:00", window="30m"
    )
    web.requests.clear()
    for host in HOSTS:
        done = fleet.agent(host, "sync", "--json")
        result, schedule = json.loads(done.stdout)["result"], fleet.status(host)["policy"]["schedule"]
        when = (
            f"{schedule['frequency']} from {schedule['start']}"
            if "start" in schedule
            else f"every {schedule['interval']} hours"
        )
        print(f"   {host}: {result}; {when}")
        if (schedule != before[host]) != (host in OFFICE):
            raise Unexpected(f"{host}: {schedule}, before {before[host]}")
    print(f"   requests: {web.count()}; once more: ", end="")
    results = {json.loads(fleet.agent(host, "sync", "--json").stdout)["result"] for host in HOSTS}
    print(web.count())
    if results != {"unchanged"}:
        raise Unexpected(f"synced again: {results}")


def tampered(fleet: Sandbox) -> None:
    """C2: refused, and the last good configuration stays in force."""
    tree = fleet.directory / SERVER / PUBLIC / "configuration/tree.json"
    whole = tree.read_bytes()
    tree.write_bytes(whole.replace(b'"update_now":false', b'"update_now":true'))
    try:
        for host in PLANT[:1]:
            result = json.loads(fleet.agent(host, "sync", "--json").stdout)
            kept = fleet.status(host)["policy"]["privileges"]["update_now"]
            print(f"   {host}: {result['result']}; {result['why']}; update_now stays {str(kept).lower()}")
            if result["result"] != "bad_signature" or kept:
                raise Unexpected(f"{host}: {result}")
    finally:
        tree.write_bytes(whole)


def plan(fleet: Sandbox) -> None:
    for host in HOSTS:
        status = fleet.status(host)
        print(f"   {host}: next run {status['next_run'] or 'none (switched off by its user)'}")
    lines: Iterable[str] = _PLAN.findall(fleet.playbook("preview"))
    if not lines:
        raise Unexpected("preview told nothing")
    for line in lines:
        print(f"   {line}")


def on_server(fleet: Sandbox) -> dict[str, str]:
    """Where the server of this sandbox is."""
    return {"root": str(fleet.directory / SERVER)}
