# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Four products on one machine, under one policy with two overlays, by the real programs of Debian (D2)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lab_documents as documents
import lab_root
import pytest
from lab_ansible import Ansible
from lab_names import Records
from lab_nodes import Node, eventually
from lab_products import SPAM, channel, install, rules
from lab_server import ComponentServer

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(lab_root.SUITE != "trixie", reason="the definitions were run on Debian 13"),
]
NAME = "n148"
PRODUCTS = ("clamav", "suricata", "spamassassin", "rkhunter")
RKHUNTER = ("mirrors.dat", "programs_bad.dat", "backdoorports.dat", "suspscan.dat")
Packages = Callable[..., dict[str, Path]]


class Sources:
    """What the four products are offered, in one version or the next."""

    def __init__(self, server: ComponentServer, records: Records, data: dict[str, str]) -> None:
        self.server = server
        self.records = records
        self.data = data

    def offer(self, version: int) -> None:
        rule = f'alert tcp any any -> any 9 (msg:"LAB"; sid:1000001; rev:{version};)\n'
        time.sleep(1.1)  # web servers and freshclam tell versions of a plain file apart by whole seconds
        self.records.texts[f"1.0.4.{SPAM}"] = str(version)
        self.server.publish(
            {
                **self.data,
                **channel(version, self.server.url),
                "programs_bad.dat": f"Version:202611300{version}\nhttpd: 1.3a1\n",
                "lab.rules.tar.gz": rules(rule),
                "lab.ndb": f"Lab.{version}:0:*:6c61622d7465{version:02d}\n",
            }
        )


@pytest.fixture(scope="module")
def machine(node: Callable[[str], Node]) -> Node:
    found = node(NAME)
    found.renew()
    return found


@pytest.fixture
def sources(machine: Node, component_server: ComponentServer, debian_packages: Packages) -> Iterator[Sources]:
    """The machine with all of Debian's programs, and what each of them is told of its source."""
    packages = debian_packages("rkhunter", "spamassassin", "gpg", "gpg-agent", "suricata", "suricata-update")
    install(machine, component_server, packages)
    data: dict[str, str] = {name: machine.read(f"/var/lib/rkhunter/db/{name}") for name in RKHUNTER}
    data["i18n/1.4.6/i18n.ver"] = "Version:2017080501\n"
    machine.write("/etc/rkhunter.conf.local", 'UPDATE_MIRRORS=0\nMIRRORS_MODE=1\nWEB_CMD=""\n')
    machine.write("/var/lib/rkhunter/db/mirrors.dat", f"Version:2007060601\nlocal={component_server.url}\n")
    machine.write("/etc/default/rkhunter", 'CRON_DB_UPDATE="true"\nREPORT_EMAIL="root"\n')
    machine.write("/etc/cron.d/suricata", "5 4 * * * root suricata-update --quiet\n")
    machine.write("/etc/resolv.conf", f"nameserver {component_server.address}\noptions timeout:1 attempts:1\n")
    machine.run(["systemctl", "enable", "--now", "spamassassin-maintenance.timer"])
    records = Records(component_server.address, {f"mirrors.{SPAM}": f"{component_server.url}/MIRRORED.BY"})
    yield Sources(component_server, records, data)
    records.stop()


def options(sources: Sources) -> dict[str, Any]:
    """One policy with two overlays: suricata is updated less often, and rkhunter never at a reconnection."""
    url = sources.server.url
    return {
        "endpoint": NAME,
        "ordinal": 7,
        "takeover": True,
        "products": list(PRODUCTS),
        "clamav": {"databases": [], "custom_urls": [f"{url}/lab.ndb"]},
        "product_overrides": {
            "suricata": {"product_settings": {"options": ["--force", "--url", f"{url}/lab.rules.tar.gz"]}},
            "spamassassin": {"product_settings": {"options": ["--nogpg", "--channel", SPAM]}},
        },
        "policy": {
            "schedule": {"frequency": "minutes", "interval": 2},
            "products": {
                "suricata": {"schedule": {"interval": 3}},
                "rkhunter": {"events": {"update_on_reconnect": False}},
            },
        },
    }


def quiet(sources: Sources) -> dict[str, Any]:
    """The same with a schedule that is days away, and without events."""
    far = documents.quiet(NAME)["policy"]
    return {**options(sources), "policy": {**far, "privileges": {"update_now": True}}}


def sections(machine: Node) -> dict[str, dict[str, Any]]:
    return {one["product"]: one for one in machine.agent_status()["products"]}


def versions(machine: Node) -> dict[str, dict[str, str]]:
    told = sections(machine)
    return {name: {one["name"]: one["version"] for one in told[name]["components"]} for name in told}


def scheduled(machine: Node) -> dict[str, dict[str, Any]]:
    return {name: one["last"].get("schedule", {}) for name, one in sections(machine).items()}


def instance(name: str) -> str:
    return "" if name == PRODUCTS[0] else f"-{name}"


def vendors(machine: Node) -> str:
    """How each vendor's own way of updating stands."""
    weekly = "stat -c %a /etc/cron.weekly/rkhunter; sha256sum </etc/cron.weekly/rkhunter; cat /etc/cron.d/suricata"
    timers = "systemctl is-enabled spamassassin-maintenance.timer; systemctl is-active spamassassin-maintenance.timer"
    return machine.run(f"{weekly}; {timers}", check=False).out


def test_four_products_on_one_machine(machine: Node, ansible: Ansible, sources: Sources) -> None:
    before = vendors(machine)
    sources.offer(1)
    come(machine, ansible, options(sources))
    go_by_their_schedules(machine, sources)
    tell_the_truth(machine, ansible, sources)
    leave(machine, ansible, quiet(sources))
    assert vendors(machine) == before
    assert machine.run("ls /etc/systemd/system | grep epp-", check=False).out == ""


def come(machine: Node, ansible: Ansible, wanted: dict[str, Any]) -> None:
    """Check mode changes nothing and tells what is done; a second time, by either way, nothing changes."""
    before = vendors(machine)
    check = ansible.converge({NAME: wanted}, check=True, diff=True).demand()[NAME]
    assert vendors(machine) == before
    assert not machine.exists("/etc/systemd/system/epp-update-suricata.timer")
    done = ansible.converge({NAME: wanted}, diff=True).demand()[NAME]
    assert [one["path"] for one in done.task["changes"]] == [one["path"] for one in check.task["changes"]]
    assert done.task["errors"] == []
    assert not ansible.converge({NAME: wanted}).demand()[NAME].changed
    assert not ansible.converge({NAME: wanted}, fast=False).demand()[NAME].changed
    assert machine.exists("/etc/systemd/system/epp-reconnect-suricata.timer")
    assert not machine.exists("/etc/systemd/system/epp-reconnect-rkhunter.timer")


def go_by_their_schedules(machine: Node, sources: Sources) -> None:
    """From version 1 to 2, each by its own timer at its own second, and no two at the same time."""
    by_schedule(machine, lambda: all(scheduled(machine).values()))
    assert {one["result"] for one in scheduled(machine).values()} <= {"updated", "current"}, scheduled(machine)
    first = versions(machine)
    sources.offer(2)
    by_schedule(machine, lambda: all(versions(machine)[name] != first[name] for name in PRODUCTS))
    assert versions(machine)["rkhunter"]["programs_bad"] == "2026113002"
    assert "rev:2;" in machine.run("grep LAB /var/lib/suricata/rules/suricata.rules").out
    seconds = {name: one["next_run"][-3:-1] for name, one in sections(machine).items()}
    assert len(set(seconds.values())) == len(PRODUCTS), seconds
    for name, second in seconds.items():
        unit = f"/etc/systemd/system/epp-update{instance(name)}.timer"
        assert f":{second}" in machine.run(f"grep ^OnCalendar= {unit}").out
    runs = sorted((one["started"], one["finished"]) for one in scheduled(machine).values())
    assert all(earlier[1] <= later[0] for earlier, later in zip(runs, runs[1:])), runs


def by_schedule(machine: Node, reached: Callable[[], bool]) -> None:
    """Wait until all products have come so far; what each of them tells is in the error."""
    try:
        eventually(reached, seconds=400, why="each product is updated by its schedule", pause=3)
    except AssertionError as late:
        told = {name: (one, versions(machine)[name]) for name, one in scheduled(machine).items()}
        raise AssertionError(f"{late}\n{told}\n{machine.journal(unit='')[-6000:]}") from None


def results(machine: Node, *words: str, user: str = "root") -> dict[str, str]:
    told = machine.agent("update-now", "--json", *words, user=user, check=False).json()
    return {one["product"]: one["result"] for one in told["products"]}


def tell_the_truth(machine: Node, ansible: Ansible, sources: Sources) -> None:
    """Results of each kind; a user of the group starts all products, or one."""
    wanted = quiet(sources)
    ansible.converge({NAME: wanted}).demand()
    assert results(machine, user="alice") == dict.fromkeys(PRODUCTS, "current")
    one = machine.agent("update-now", "--json", "--product", "suricata", user="alice").json()
    assert one["result"] == "current"
    sources.server.stop()
    found = results(machine)  # the name server, which tells SpamAssassin's version, answers still
    assert (found["clamav"], found["suricata"]) == ("unreachable", "unreachable")
    assert (found["spamassassin"], found["rkhunter"]) == ("current", "failed")
    sources.server.start()
    sources.server.answer(403)
    assert machine.agent("update-now", "--json", "--product", "suricata").json()["result"] == "cooling_down"
    sources.server.answer(None)
    wanted["product_overrides"]["rkhunter"] = {"held_versions": [{"component": "suspscan", "version": "2030010101"}]}
    wanted["policy"]["products"] = {"spamassassin": {"components": {"scope": "engines"}}}
    ansible.converge({NAME: wanted}).demand()
    sources.offer(3)
    found = results(machine)
    assert (found["clamav"], found["rkhunter"], found["spamassassin"]) == ("updated", "held", "skipped")


def leave(machine: Node, ansible: Ansible, wanted: dict[str, Any]) -> None:
    """Drift of one is mended; one that leaves gets its updater back, and no other does; absent gives all back."""
    ansible.converge({NAME: wanted}).demand()
    machine.run(["systemctl", "stop", "epp-update-suricata.timer"])
    found = ansible.converge({NAME: wanted}).demand()[NAME].task
    assert found["drift"] == ["epp-update-suricata.timer is not active"]
    fewer = {**wanted, "products": [one for one in PRODUCTS if one != "suricata"]}
    ansible.converge({NAME: fewer}).demand()
    assert machine.read("/etc/cron.d/suricata") == "5 4 * * * root suricata-update --quiet\n"
    assert not machine.exists("/var/lib/epp-autoupdate/products/suricata/state.json")
    assert "inactive" in machine.run("systemctl is-active spamassassin-maintenance.timer", check=False).out
    assert not ansible.converge({NAME: fewer}).demand()[NAME].changed
    ansible.converge({NAME: wanted}).demand()
    ansible.converge({NAME: wanted}, state="absent").demand()
