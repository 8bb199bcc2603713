# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's way in through a hardened sshd: proved by the converge, and told where it is shut (N5).

The sshd that is looked at listens at another port than usual; the lab's own connections go by a second one.
"""

from __future__ import annotations

import itertools
import re
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lab_documents as documents
import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.shard import Membership, file_of, shard_of
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.command import UpdateCommand
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.publisher import Publisher
from lab_ansible import REPOSITORY, Ansible, HostResult
from lab_nodes import Node
from lab_server import ComponentServer

MACHINE, BARE = "n17", "b4"
PORT = 2222
USER = "epp-notify"
HOME = "/var/lib/epp-autoupdate-notify"
HARDENED = "/etc/ssh/sshd_config.d/10-hardened.conf"
REMEDY = "/etc/ssh/sshd_config.d/00-epp-autoupdate.conf"
SECOND_SSHD = """
set -e
cp /etc/ssh/sshd_config /etc/ssh/lab_config
printf 'Port {port}\\n' >/etc/ssh/sshd_config.d/00-port.conf
sed -i 's,^Include .*,Include /etc/ssh/sshd_config.d/lab.conf,' /etc/ssh/lab_config
systemctl restart ssh
systemd-run -q --unit=lab-sshd /usr/sbin/sshd -D -f /etc/ssh/lab_config
"""
# What the update server does to notify: its own code, as a program.
NOTIFY = """#!/usr/bin/python3
import json, sys
sys.path.insert(0, "/opt/lab")
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.command import UpdateCommand
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.notify import NotifySettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notifiers.select import select_notifier
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notifiers.base import Target

user, address, campaign = sys.argv[1:]
settings = NotifySettings.from_dict({"user": user, "key": "/opt/lab/key", "connect_timeout": "10s"})
pinned = " ".join(open("/etc/ssh/ssh_host_ed25519_key.pub").read().split()[:2])
command = UpdateCommand(campaign, "1", Trigger.MANUAL)
outcome = select_notifier(settings, LocalHost("")).notify(Target("n", address, pinned), command, timeout=60).outcome
print(json.dumps({"heard": outcome.send_result.value, "result": outcome.result, "reason": outcome.reason}))
"""


class Door:
    """A machine, its update server's files and that server's notifier."""

    def __init__(self, server: ComponentServer, work: Path, ansible: Ansible, node: Node, *, port: int) -> None:
        self.node, self._ansible, self._port = node, ansible, port
        self._campaigns = itertools.count()
        self._publisher = Publisher(server.www, work, time.time() - 3600)
        quiet = documents.quiet("")["policy"]
        self._publisher.root = {"events": quiet["events"], "schedule": quiet["schedule"]}
        self._publisher.endpoints = {node.name: Membership("", 0)}
        self._publisher.tree()
        number = shard_of(node.name, self._publisher.shards)
        place = server.www / file_of(number)
        place.parent.mkdir(parents=True, exist_ok=True)
        self._publisher.shard(number=number).replace(place)
        self._furnish(server, work)
        self.section = self._publisher.server(server.url, notify_key=self._publisher.public["b"])

    def converge(self, *, state: str | None = None, check: bool = False, **more: Any) -> HostResult:
        run = self._ansible.converge({self.node.name: {**self._document(), **more}}, state=state, check=check)
        return run[self.node.name]

    def obstacles(self) -> list[str]:
        """What the agent itself says after a converge."""
        return list(self.node.apply(self._document()).json()["obstacles"])

    def _document(self) -> dict[str, Any]:
        own = {"product": "command", "command": {"update": ["/bin/true"], "version": ["/bin/echo", "1"]}}
        return {"endpoint": self.node.name, "server": self.section, **own}

    def sshd(self, text: str, *, path: str = HARDENED) -> None:
        """Settings of the sshd that is looked at."""
        self.node.write(path, text)
        self.node.run(["systemctl", "reload", "ssh"])

    def _furnish(self, server: ComponentServer, work: Path) -> None:
        """The server's notifier and its key on the machine itself, whose paramiko is the system's own."""
        library = "ansible_collections/epp/autoupdate/plugins"
        with tarfile.open(server.www / "notifier.tar", "w") as archive:
            archive.add(REPOSITORY / "plugins/module_utils", f"{library}/module_utils")
            archive.add(next(path for path in work.rglob("b") if path.is_file()), "key")
        self.node.run(
            f"mkdir -p /opt/lab && cd /opt/lab && curl -fsS {server.url}/notifier.tar | tar -x && chmod 600 key"
        )
        (server.www / "notifier.tar").unlink()
        self.node.write("/opt/lab/notify", NOTIFY, mode="0755")

    def notify(self, user: str = USER) -> dict[str, str]:
        """What the server's notifier makes of one notice, by this sshd."""
        address = f"{self.node.machine.address}:{self._port}"
        line = ["/opt/lab/notify", user, address, f"campaign-{next(self._campaigns)}"]
        return dict(self.node.run(line).json())

    def demand(self) -> None:
        """The way in is proved, quiet the second time, and leads to an answer."""
        first = self.converge()
        assert not first.failed, first.message
        again = self.converge()
        assert (again.failed, again.changed) == (False, False), again.task
        told = self.notify()
        assert (told["heard"], told["result"]) == ("acknowledged", "current"), told


@pytest.fixture
def door(component_server: ComponentServer, tmp_path: Path, ansible: Ansible, node: Callable[[str], Node]) -> Door:
    machine = node(MACHINE)
    machine.renew()
    machine.run(SECOND_SSHD.format(port=PORT))
    return Door(component_server, tmp_path / "keys", ansible, machine, port=PORT)


def test_root_may_not_log_in_and_the_server_comes_as_its_own_account(door: Door) -> None:
    door.sshd("PermitRootLogin no\n")
    door.demand()
    assert door.notify("root")["heard"] == "refused"
    node = door.node
    assert node.run(["getent", "passwd", USER]).out.strip().endswith(f":epp.autoupdate notices:{HOME}:/bin/sh")
    assert node.run(["getent", "shadow", USER]).out.split(":")[1] == "*"
    script = f"find {HOME} -printf '%p %u %g %m\\n'"
    assert node.run(script).out.splitlines() == [
        f"{HOME} root root 755",
        f"{HOME}/.ssh root root 755",
        f"{HOME}/.ssh/authorized_keys root root 644",
    ]
    for command in (["sudo", "-n", "true"], ["touch", f"{HOME}/x"], ["systemctl", "start", "epp-scan.service"]):
        assert node.run(["runuser", "-u", USER, "--", *command], check=False).code != 0, command
    stranger = node.agent(
        "notice", user="alice", check=False, stdin=UpdateCommand("campaign-x", "1").to_line().decode()
    )
    assert (stranger.code, "denied" in stranger.err.lower()) == (77, True), stranger


SHUT = {
    "AllowUsers alice\n": "AllowUsers (alice) does not name epp-notify",
    "AllowGroups alice\n": "AllowGroups (alice) names no group of epp-notify",
    "DenyUsers epp-*\n": "DenyUsers epp-* shuts epp-notify out",
    "PubkeyAuthentication no\n": "PubkeyAuthentication is no",
    "Match User epp-*,bob\n    AuthenticationMethods publickey,password\n": "AuthenticationMethods is publickey,p",
    "Match Address 10.0.0.0/8\n    ForceCommand /bin/false\n": "ForceCommand is /bin/false",
}


@pytest.mark.heavy
def test_what_shuts_the_server_out_is_told_with_the_lines_that_mend_it(door: Door) -> None:
    door.demand()
    for settings, why in SHUT.items():
        door.node.run(["rm", "-f", REMEDY])
        door.sshd(settings)
        (obstacle,) = door.obstacles()
        assert f"sshd does not let epp-notify in: {why}" in obstacle
        told = door.notify()
        if "ForceCommand" not in settings:  # that one lets the server in, and runs something else
            assert told["heard"] == "refused", (settings, told)
            assert "refused: sshd " in told["reason"]
        assert REMEDY in obstacle
        lines = re.findall(r"^    (.*)$", obstacle, re.MULTILINE)
        door.sshd("\n".join(lines) + "\n", path=REMEDY)
        assert door.obstacles() == [], settings
        told = door.notify()
        assert (told["heard"], told["result"]) == ("acknowledged", "current"), (settings, told)


@pytest.mark.heavy
def test_a_converge_fails_where_the_server_is_shut_out_unless_it_is_not_to_notify(door: Door) -> None:
    door.sshd("AllowGroups alice\n")
    refused = door.converge()
    assert refused.failed
    assert "sshd does not let epp-notify in: AllowGroups (alice) names no group of epp-notify" in refused.message
    foretold = door.converge(check=True)
    assert not foretold.failed
    assert foretold.task["obstacles"] == refused.task["obstacles"]
    alone = door.converge(notify=False)
    assert not alone.failed, alone.message
    assert door.node.run(["getent", "passwd", USER], check=False).code != 0
    assert door.converge().failed


@pytest.mark.heavy
def test_keys_lie_where_sshd_looks_for_them(door: Door) -> None:
    node = door.node
    door.demand()
    node.run("install -d -m 755 /etc/ssh/keys && cp /root/.ssh/authorized_keys /etc/ssh/keys/root")
    door.sshd("AuthorizedKeysFile /etc/ssh/keys/%u\n")
    door.demand()
    assert node.run(["stat", "-c", "%U %G %a", f"/etc/ssh/keys/{USER}"]).out.strip() == "root root 644"
    assert not node.exists(f"{HOME}/.ssh/authorized_keys")
    node.run("chmod 700 /etc/ssh/keys")
    assert "epp-notify can't enter /etc/ssh/keys" in door.converge().message
    node.run("chmod 777 /etc/ssh/keys")
    assert "others than root may write to /etc/ssh/keys" in door.converge().message
    assert door.notify()["heard"] == "refused"
    node.run("chmod 755 /etc/ssh/keys")
    door.demand()
    assert not door.converge(state="absent").failed
    assert not node.exists(f"/etc/ssh/keys/{USER}")
    assert node.exists("/etc/ssh/keys/root")


def test_nothing_of_it_stays_behind(door: Door) -> None:
    before = door.node.manifest()
    door.demand()
    assert not door.converge(state="absent").failed
    left = {path for path, told in door.node.manifest().items() if before.get(path) != told}
    assert not {path for path in left if ("epp" in path or "notify" in path) and not path.startswith("/opt/")}
    assert door.node.run(["getent", "passwd", USER], check=False).code != 0
    assert door.node.run(["getent", "group", USER], check=False).code != 0


@pytest.mark.heavy
def test_an_account_that_somebody_locks_or_moves_is_mended(door: Door) -> None:
    door.demand()
    door.node.run(["usermod", "--lock", "--shell", "/usr/sbin/nologin", USER])
    mended = door.converge()
    assert mended.task["drift"] == [f"user {USER} gets its home, shell and unlocked keys back"]
    door.demand()
    door.node.run(["systemctl", "stop", "epp-notice.socket"])
    assert door.converge().task["drift"] == ["epp-notice.socket is not active"]
    door.demand()


@pytest.mark.heavy
def test_without_systemd_the_account_starts_the_notice_entry_by_sudo(
    component_server: ComponentServer, tmp_path: Path, ansible: Ansible, node: Callable[[str], Node]
) -> None:
    machine = node(BARE)
    machine.renew()
    door = Door(component_server, tmp_path / "keys", ansible, machine, port=22)
    door.demand()
    assert machine.run(["visudo", "-c", "-f", "/etc/sudoers.d/epp-autoupdate-notice"]).code == 0
    for command in (
        ["true"],
        ["/usr/local/bin/epp-agent", "status"],
        ["/usr/local/bin/epp-agent", "notice", "--root", "/"],
    ):
        assert machine.run(["runuser", "-u", USER, "--", "sudo", "-n", *command], check=False).code != 0, command
    machine.run("mv /usr/bin/sudo /usr/bin/sudo.off")
    assert "this host has neither systemd nor sudo" in door.converge().message
    machine.run("mv /usr/bin/sudo.off /usr/bin/sudo")
    assert not door.converge(state="absent").failed
    assert not machine.exists("/etc/sudoers.d/epp-autoupdate-notice")
