# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The story that the demonstration tells, step by step; each step checks what it says."""

from __future__ import annotations

import json
import re

import night
import products
from sandbox import HOSTS, OFFICE, SERVER, Sandbox, Unexpected, in_words
from web import WebServer

ROAMING, OFF = "office2", "plant2"
_PLAN = re.compile(r'^\s+"(\d+ endpoint.*)",?$', re.MULTILINE)


def tell(fleet: Sandbox, web: WebServer) -> list[str]:
    """The story; returns its facts."""
    fleet.found()
    fleet.upstream("1")
    print("1. What will the schedules do? Nothing is deployed yet (epp.autoupdate.preview)")
    preview(fleet)
    print("2. First converge: an update server and six endpoints in two domains (epp.autoupdate.site)")
    first = converged(fleet, expect_change=True)
    print("3. The same again: nothing to do")
    converged(fleet, expect_change=False)
    print("4. The server fetches version 1 and notifies every endpoint that is behind (epp-server fetch --notify)")
    notified(fleet, web, absent=set())
    print(f"5. Version 2 is out, one file of three differs. The user of {ROAMING} has gone roaming, {OFF} is off")
    asked(fleet, ROAMING, "roaming", "on", granted=True)
    fleet.switch_off(OFF)
    fleet.upstream("2")
    told = notified(fleet, web, absent={ROAMING, OFF})
    missed(fleet, told)
    print(f"6. {OFF} boots, and catches up by itself")
    returned(fleet)
    print("7. What users may do")
    users(fleet)
    print("8. Another window for the domain office: one task, on the server alone (epp.autoupdate.update_schedule)")
    changed_policy(fleet, web)
    print("9. Somebody edits what the web server serves: plant is to be allowed Update Now")
    tampered(fleet)
    print("10. When everybody updates next (epp-agent status)")
    next_runs(fleet)
    print(f"11. Rings: {' and '.join(night.CANARIES)} get a version first (epp.autoupdate.rollout)")
    night.rings(fleet)
    print("12. At night version 3 comes out. It takes a clean file for malware, and nobody is awake")
    night.bad_version(fleet, web)
    print("13. In the morning somebody looks (epp-server rollout status), and takes it back")
    night.morning(fleet)
    print("14. Version 4 is good: the canaries first, then the others, without a hand")
    night.next_version(fleet)
    print("15. Two products on an endpoint without an update server: rules, and Acme, which has an updater of its own")
    products.converged(fleet)
    print("16. Both vendors have version 1 (epp-agent update-now)")
    products.both_updated(fleet)
    print("17. Both have version 2, and Acme's license has expired")
    products.one_failed(fleet)
    print("18. What an operator sees (epp-agent status)")
    products.status(fleet)
    return [
        f"{sum(first.values())} tasks changed: each host, all registrations at once, all host keys at once; again: 0",
        f"version 2 reached {len(HOSTS) - 2} endpoints by one notice each, {OFF} when it was back, not {ROAMING}",
        "a domain's new policy reached its endpoints, and nobody else, without Ansible touching them",
        "what no privilege grants was refused, and so was what the server had not signed",
        f"bad version 3 reached the first ring of {len(night.CANARIES)} and nobody else, and was taken back there",
        "of two products on one endpoint one was updated while the other one failed, and each told so",
    ]


def preview(fleet: Sandbox) -> None:
    lines = _PLAN.findall(fleet.playbook("preview"))
    if not lines:
        raise Unexpected("preview told nothing")
    for line in lines:
        print(f"   {line}")


def converged(fleet: Sandbox, *, expect_change: bool) -> dict[str, int]:
    changed = fleet.site()
    print("   " + "  ".join(f"{host} changed={changed.get(host)}" for host in (SERVER, *HOSTS)))
    if set(changed) != {SERVER, *HOSTS} or any((count > 0) != expect_change for count in changed.values()):
        raise Unexpected(f"tasks changed: {changed}")
    return changed


def notified(fleet: Sandbox, web: WebServer, *, absent: set[str]) -> dict[str, dict[str, str]]:
    """E1: fetch and notify; returns what the server's record says of each endpoint. All but ``absent`` are updated."""
    web.requests.clear()
    (report,) = fleet.server("fetch", "--notify")
    told = {row["endpoint"]: row for row in fleet.server("campaigns", report["campaign"])}
    updated = [host for host in HOSTS if told[host]["result"] == "updated"]
    print(f"   updated to version {report['version']}: {', '.join(updated)}")
    if set(updated) != set(HOSTS) - absent:
        raise Unexpected(f"campaign {report['campaign']}: {told}")
    print(f"   requests: {web.count()}")
    return told


def missed(fleet: Sandbox, told: dict[str, dict[str, str]]) -> None:
    """E1a, N2: who may not hear of a version, and who can't; and the same version again is no news."""
    print(f"   {ROAMING}: {told[ROAMING]['result']}; {told[ROAMING]['reason']}")
    print(f"   {OFF}: {told[OFF]['result'].replace('_', ' ')}; the server will try again")
    (again,) = fleet.server("fetch", "--notify")
    print(f"   fetched again: {again['result']}, nobody is notified")
    left = (told[ROAMING]["result"], told[OFF]["status"])
    if left != ("skipped", "retrying") or again["campaign"]:
        raise Unexpected(f"{told}, then {again}")


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
    print(f"   {host}: epp-agent {words}: {'done' if done.returncode == 0 else _said(done.stderr)}")
    if (done.returncode == 0) != granted:
        raise Unexpected(f"{host}: {words} ended with {done.returncode}: {done.stderr}")


def changed_policy(fleet: Sandbox, web: WebServer) -> None:
    """C1, P2: set once on the server, fetched by all, of importance for some; and no converge undoes it."""
    before = {host: fleet.status(host)["policy"]["schedule"] for host in HOSTS}
    root = str(fleet.directory / SERVER)
    fleet.task(SERVER, "update_schedule", installroot=root, scope="domain", name="office", start="22:00", window="30m")
    fleet.moments_later("configuration/tree.json")
    web.requests.clear()
    synced(fleet, "adopted")
    for host in HOSTS:
        schedule = fleet.status(host)["policy"]["schedule"]
        print(f"   {host}: {in_words(schedule)}{', as before' if schedule == before[host] else ''}")
        if (schedule != before[host]) != (host in OFFICE):
            raise Unexpected(f"{host}: {schedule}, before {before[host]}")
    print(f"   requests: {web.count()}")
    synced(fleet, "unchanged")
    print(f"   requests when all ask once more: {web.count()}")
    print("   and site again:")
    converged(fleet, expect_change=False)


def synced(fleet: Sandbox, expected: str) -> None:
    """Let all ask for the configuration, as their scheduled runs do."""
    results = {host: json.loads(fleet.agent(host, "sync", "--json").stdout)["result"] for host in HOSTS}
    if set(results.values()) != {expected}:
        raise Unexpected(f"synced: {results}")


def tampered(fleet: Sandbox) -> None:
    """C2: refused, and the last good configuration stays in force."""
    tree = fleet.published("configuration/tree.json")
    whole = tree.read_bytes()
    tree.write_bytes(whole.replace(b'"update_now":false', b'"update_now":true'))
    try:
        result = json.loads(fleet.agent("plant1", "sync", "--json").stdout)
        kept = fleet.status("plant1")["policy"]["privileges"]["update_now"]
        print(f"   plant1: {result['result']}; {result['reason']}; update_now stays {str(kept).lower()}")
        if result["result"] != "bad_signature" or kept:
            raise Unexpected(f"plant1: {result}")
    finally:
        tree.write_bytes(whole)


def next_runs(fleet: Sandbox) -> None:
    for host in HOSTS:
        print(f"   {host}: {fleet.status(host)['next_run'] or 'never, its user has switched scheduled update off'}")


def _said(stderr: str) -> str:
    return stderr.strip().removeprefix("epp-agent: ")
