# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets on live machines: no run, no journal and no file that others can read shows one, the TLS key included."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lab_ansible import Ansible
from lab_certificates import Authority
from lab_nodes import Node
from lab_update_server import UpdateServer

SERVER, ENDPOINT = "n23", "n24"
MARK = "hunter2"
TRUSTED = "/usr/local/share/ca-certificates/lab.crt"
READABLE = ("/etc", "/home", "/run", "/srv", "/tmp", "/usr/local", "/var")


class World:
    """A server that speaks TLS and its endpoint; both are reached as an ordinary user: sudo logs what it is given."""

    def __init__(self, node: Callable[[str], Node], authority: Authority) -> None:
        self.server, self.endpoint = UpdateServer(node(SERVER)), node(ENDPOINT)
        self.url = f"https://{self.server.node.machine.address}:8443"
        certificate, key = authority.issue(self.server.node.machine.address)
        self.secrets = (MARK, *_private_lines(key))
        for machine in self.machines:
            machine.renew()
            machine.write("/etc/sudoers.d/alice", "alice ALL=(ALL) NOPASSWD: ALL\n", mode="0440")
            machine.write(TRUSTED, authority.certificate.read_text())
            machine.run(["update-ca-certificates"])
        self.server.node.write("/etc/lab.crt", certificate.read_text())
        self.server.node.write("/etc/lab.key", key.read_text(), mode="0600")

    @property
    def machines(self) -> tuple[Node, Node]:
        return self.server.node, self.endpoint

    def inventory(self, note: str = "") -> dict[str, dict[str, Any]]:
        fetch = ["/bin/sh", "-c", 'echo "bad key: $0" >&2; exit 3', f"{MARK}fetch{note}"]
        update = ["/bin/sh", "-c", 'echo "bad license: $0" >&2; exit 3', f"{MARK}update{note}"]
        server = {
            "autoupdate_server_url": self.url,
            "autoupdate_server_tls_certificate": "/etc/lab.crt",
            "autoupdate_server_tls_key": "/etc/lab.key",
            "autoupdate_server_components": {"command": {"fetch": fetch}},
            "autoupdate_server_install": False,
        }
        endpoint = {
            "autoupdate_product": "command",
            "autoupdate_command": {"update": update, "version": ["/bin/echo", "1"]},
            "autoupdate_policy": {"schedule": {"start": "02:00"}},
        }
        return {SERVER: {**server, **_as_alice(self.server.node)}, ENDPOINT: {**endpoint, **_as_alice(self.endpoint)}}

    def leaks(self, text: str) -> list[str]:
        """What stands before and after each secret in a text."""
        return [text[max(0, at - 200) : at + 60] for secret in self.secrets if (at := text.find(secret)) >= 0]


def _as_alice(machine: Node) -> dict[str, str]:
    control = machine._fleet.plan.directory / "ssh" / f"ansible-alice-{machine.name}"
    return {"ansible_user": "alice", "ansible_control_path": str(control)}


def _private_lines(key: Path) -> tuple[str, ...]:
    """The lines of a private key that are of this key alone."""
    lines = key.read_text().splitlines()[1:-1]
    return tuple(line for line in lines[1:] if len(line) > 20)


@pytest.fixture(scope="module")
def world(node: Callable[[str], Node], tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(node, Authority(tmp_path_factory.mktemp("authority")))


@pytest.mark.heavy
def test_nothing_that_people_see_or_others_can_read_shows_a_secret(world: World, ansible: Ansible) -> None:
    hosts = world.inventory()
    said = [
        ansible.site(hosts, check=True, diff=True, loud=True).demand().output,
        ansible.site(hosts, diff=True, loud=True).demand().output,
        ansible.site(world.inventory("other"), diff=True, loud=True).demand().output,
    ]
    world.server.node.run(["systemctl", "start", "epp-server-fetch.service"], check=False)
    world.endpoint.run(["systemctl", "start", "epp-update@manual.service"], check=False)
    said += [ansible.playbook(name, world.inventory("other")).output for name in ("check", "update_now")]
    assert "bad license: ***" in said[-1]
    said += [world.server.command("status", "--json").out, world.server.command("campaigns", "--json").out]
    said += [world.endpoint.agent("status").out, world.endpoint.agent("status", "--json").out]
    assert world.leaks("\n".join(said)) == []

    journals = [machine.run(["journalctl", "--no-pager", "-b", "-o", "export"]).out for machine in world.machines]
    assert "fetch command: failed" in journals[0]
    assert "update (manual): failed" in journals[1]
    assert world.leaks("\n".join(journals)) == []

    for machine in world.machines:
        for secret in world.secrets:
            found = machine.run(["grep", "-rlsI", "--devices=skip", "-e", secret, *READABLE], user="bob", check=False)
            assert found.out == "", "bob can read it"
    installed = world.endpoint.run(["grep", "-rls", MARK, "/etc/epp-autoupdate"]).out
    assert installed, "the secrets are there for root, so the others looked at the right places"
