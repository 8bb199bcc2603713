# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AppArmor enforces the distribution's profile of freshclam, as it does on a Debian that nobody has touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_server import ComponentServer
from vm_machine import VirtualMachine

LOCAL = "/etc/apparmor.d/local/usr.bin.freshclam"
LOAD = "apparmor_parser -r /etc/apparmor.d/usr.bin.freshclam"
Databases = Callable[[int], dict[str, Path]]


@pytest.fixture(scope="module")
def host(machine: VirtualMachine) -> VirtualMachine:
    machine.start()
    return machine


@pytest.fixture
def forbidden(host: VirtualMachine) -> Iterator[Callable[[str], None]]:
    """A function that adds a rule to the profile as an administrator does, for this test."""

    def forbid(rule: str) -> None:
        host.run(f"echo '{rule}' >>{LOCAL} && {LOAD}")

    host.run(f"cp -a {LOCAL} /root/local")
    yield forbid
    host.run(f"cp -a /root/local {LOCAL} && {LOAD}")


def variables(url: str, *, start: str = "12:00") -> dict[str, Any]:
    """What the inventory says of the host."""
    schedule = {**documents.quiet("vm")["policy"]["schedule"], "start": start}
    policy = {"events": {"update_on_reconnect": False}, "schedule": schedule, "sources": {"urls": [url]}}
    return {"autoupdate_product": "clamav", "autoupdate_clamav": {"databases": ["test"]}, "autoupdate_policy": policy}


def test_a_configuration_that_is_a_file_of_ours_would_be_refused(host: VirtualMachine) -> None:
    """The fault that the next test must not find: it says that the profile is enforced, too."""
    assert "/usr/bin/freshclam (enforce)" in host.run(["cat", "/sys/kernel/security/apparmor/profiles"]).out
    host.run("mkdir -p /etc/other && cp /etc/clamav/freshclam.conf /etc/other/ && chmod 644 /etc/other/*")
    refused = host.run(["freshclam", "--config-file=/etc/other/freshclam.conf", "--no-dns"], check=False)
    assert refused.code != 0
    assert "Can't open/parse the config file" in refused.out + refused.err


def test_converge_ends_with_a_self_test_that_passes_and_updates_work(
    host: VirtualMachine, ansible: Ansible, component_server: ComponentServer, source: str, databases: Databases
) -> None:
    component_server.publish(databases(1))
    host.run(["dmesg", "--clear"])
    ansible.site({host.name: variables(source)}).demand()
    assert host.status()["selftest"]["errors"] == []
    host.run(["systemctl", "start", "epp-update@manual.service"])
    status = host.status()
    assert status["last"]["manual"]["result"] == "updated", status["last"]
    assert [(one["name"], one["version"]) for one in status["components"]] == [("test", "1")]
    denied = [line for line in host.run(["dmesg"]).out.splitlines() if 'apparmor="DENIED"' in line]
    assert denied == []


def test_a_profile_that_forbids_the_databases_is_told_until_it_allows_them(
    host: VirtualMachine, ansible: Ansible, source: str, forbidden: Callable[[str], None]
) -> None:
    wanted = {host.name: variables(source, start="13:00")}  # what changes nothing would rely on an earlier self-test
    forbidden("deny /var/lib/clamav/** wkl,")
    site = ansible.site(wanted)
    assert site.code == 2, site.output
    assert "freshclam does not work here: " in site[host.name].message
    check = ansible.playbook("check", wanted)
    assert check.code == 2, check.output
    assert f"{host.name}: self-test: freshclam does not work here: " in check.output
    host.run(f"cp -a /root/local {LOCAL} && {LOAD}")
    ansible.site(wanted).demand()
    assert host.status()["selftest"]["errors"] == []
