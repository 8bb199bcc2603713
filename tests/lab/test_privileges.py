# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What real, unprivileged users may do, and all that they may not (P1, P3): by polkit, and by sudo where there is none.

alice is a member of the group that holds the privileges, bob is not.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_nodes import AGENT, Done, Node

POLKIT, SUDO = "n8", "b2"
DENIED = 77
ALL_GRANTED = {"toggle_scheduled_update": True, "update_now": True, "go_roaming": True}
NOTHING_GRANTED = {"toggle_scheduled_update": False, "update_now": False, "go_roaming": False}


@pytest.fixture(scope="module")
def enrolled(ansible: Ansible) -> None:
    ansible.converge({name: documents.command(name) for name in (POLKIT, SUDO)}).demand()


@pytest.fixture(params=[POLKIT, SUDO])
def machine(request: pytest.FixtureRequest, node: Callable[[str], Node], enrolled: None) -> Node:
    """A host with polkit, and one without."""
    return node(request.param)


@pytest.fixture
def on_polkit(node: Callable[[str], Node], enrolled: None) -> Node:
    return node(POLKIT)


@pytest.fixture
def on_sudo(node: Callable[[str], Node], enrolled: None) -> Node:
    return node(SUDO)


def grant(node: Node, **privileges: bool) -> None:
    """Let policy grant these."""
    node.apply(documents.command(node.name, policy={"privileges": privileges}))


def as_user(node: Node, user: str, *words: str) -> Done:
    return node.agent(*words, user=user, check=False)


def runs_when_scheduled(node: Node, **privileges: bool) -> bool:
    """Whether the scheduler's call of the agent, in time for its instant, really updates.

    The scheduler itself may have been faster than this test: a timer that is moved may elapse at once.
    """
    since = int(time.time())
    policy = {"privileges": privileges, "schedule": documents.due_now()}
    node.apply(documents.command(node.name, ordinal=0, policy=policy))
    node.agent_run("schedule")
    run = node.agent_status()["last"].get("schedule")
    return run is not None and run["result"] == "current" and documents.instant(run["started"]) >= since


HEAVY = pytest.mark.heavy
# P1: option 1, option 2, the user's own switch, whether scheduled updates run.
TABLE = [
    pytest.param(False, False, None, False, marks=HEAVY),
    pytest.param(False, False, "enable", False, marks=HEAVY),
    pytest.param(False, False, "disable", False, marks=HEAVY),
    pytest.param(False, True, None, True, marks=HEAVY),
    pytest.param(False, True, "enable", True, marks=HEAVY),
    (False, True, "disable", True),
    pytest.param(True, True, None, True, marks=HEAVY),
    pytest.param(True, True, "enable", True, marks=HEAVY),
    (True, True, "disable", False),
    pytest.param(True, False, None, False, marks=HEAVY),
    pytest.param(True, False, "enable", True, marks=HEAVY),
    pytest.param(True, False, "disable", False, marks=HEAVY),
]


@pytest.mark.parametrize(("toggle", "on", "switch", "runs"), TABLE)
def test_the_table(machine: Node, toggle: bool, on: bool, switch: str | None, runs: bool) -> None:
    """P1: all twelve rows, the switch moved by alice herself; a converge neither overwrites nor loses it."""
    machine.run("rm -f /var/lib/epp-autoupdate/state.json")
    policy = {"toggle_scheduled_update": toggle, "scheduled_update": on}
    if switch:
        grant(machine, toggle_scheduled_update=True, scheduled_update=on)
        assert as_user(machine, "alice", "schedule", switch).code == 0
    # Where option 1 is gone now, option 2 holds again at once.
    assert runs_when_scheduled(machine, **policy) == runs
    told = {None: None, "enable": True, "disable": False}[switch]
    status = machine.agent_status()
    assert (status["switch"], status["scheduled_update"]) == (told, runs)
    assert (status["next_run"] is not None) == runs

    opposite = "enable" if switch == "disable" else "disable"
    if not toggle:
        denied = as_user(machine, "alice", "schedule", opposite)
        assert denied.code == DENIED
        assert "toggle_scheduled_update" in denied.err
        assert machine.agent_status()["switch"] == told
    grant(machine, **policy)
    assert machine.agent_status()["switch"] == told


def test_members_of_the_group_may_do_what_is_granted_and_no_more(machine: Node) -> None:
    grant(machine, **ALL_GRANTED)
    assert as_user(machine, "alice", "schedule", "disable").code == 0
    assert machine.agent_status()["switch"] is False
    assert as_user(machine, "alice", "schedule", "enable").code == 0
    assert as_user(machine, "alice", "roaming", "on").code == 0
    assert machine.agent_status()["roaming"] is True
    assert as_user(machine, "alice", "roaming", "off").code == 0
    now = as_user(machine, "alice", "update-now")
    assert (now.code, "current" in now.out) == (0, True)

    grant(machine, **{**NOTHING_GRANTED, "update_now": True})
    assert as_user(machine, "alice", "update-now").code == 0
    for words, privilege in (
        (("schedule", "disable"), "toggle_scheduled_update"),
        (("roaming", "on"), "go_roaming"),
    ):
        denied = as_user(machine, "alice", *words)
        assert (denied.code, privilege in denied.err) == (DENIED, True), denied
    assert (machine.agent_status()["switch"], machine.agent_status()["roaming"]) == (True, False)


REQUESTS = [("schedule", "enable"), ("schedule", "disable"), ("roaming", "on"), ("roaming", "off"), ("update-now",)]


@pytest.mark.parametrize("user", ["alice", "bob"])
def test_a_denied_action_changes_nothing_says_why_and_is_logged(machine: Node, user: str) -> None:
    """P3: alice lacks the privileges, bob the group although they are granted."""
    privileges = NOTHING_GRANTED if user == "alice" else ALL_GRANTED
    grant(machine, **privileges)
    before = machine.manifest()
    for words in REQUESTS:
        denied = as_user(machine, user, *words)
        assert denied.code == DENIED, denied
        assert "denied" in denied.err
        assert ("privileges." in denied.err) if user == "alice" else ("epp-users" in denied.err), denied.err
    assert machine.manifest() == before
    if machine.name == POLKIT:
        assert machine.journal().count("denied") >= len(REQUESTS)


WAYS_AROUND_POLKIT = [
    ["systemctl", "start", "cron.service"],
    ["systemctl", "stop", "ssh.service"],
    ["systemctl", "restart", "clamav-daemon.service"],
    ["systemctl", "start", "epp-update@download.service"],
    ["systemctl", "start", "epp-update@schedule.service"],
    ["systemctl", "start", "epp-scan.service"],
    ["systemctl", "start", "epp-schedule@anything.service"],
    ["systemctl", "stop", "epp-update.timer"],
    ["systemctl", "stop", "epp-schedule@disable.service"],
    ["systemctl", "restart", "epp-schedule@disable.service"],
    ["systemctl", "disable", "epp-update.timer"],
    ["systemctl", "mask", "epp-update.timer"],
    ["systemctl", "daemon-reload"],
    ["systemctl", "set-property", "epp-update.timer", "CPUWeight=1"],
    ["systemctl", "kill", "epp-update.timer"],
    ["systemd-run", "--wait", "id"],
    ["systemd-run", "--wait", "--unit=epp-schedule@disable.service", "id"],
    ["systemd-run", "--wait", "--unit=epp-update@manual.service", "id"],
    ["systemctl", "poweroff", "--no-wall"],
]


@pytest.mark.parametrize("user", ["alice", "bob"])
def test_polkit_opens_no_other_door(on_polkit: Node, user: str) -> None:
    """No other unit, no other verb on ours, no transient unit under a granted name."""
    grant(on_polkit, **ALL_GRANTED)
    opened = [argv for argv in WAYS_AROUND_POLKIT if on_polkit.run(argv, user=user, check=False).code == 0]
    assert opened == []
    assert on_polkit.run(["systemctl", "is-active", "cron", "ssh"]).out.split() == ["active"] * 2
    assert on_polkit.run(["sudo", "-n", "true"], user=user, check=False).code != 0


WAYS_AROUND_SUDO = [
    ["true"],
    ["sh", "-c", "id"],
    [AGENT, "status"],
    [AGENT, "apply"],
    [AGENT, "apply", "--absent"],
    [AGENT, "run", "--trigger", "download"],
    [AGENT, "run", "--trigger", "schedule"],
    [AGENT, "run", "--trigger", "manual", "--json"],
    [AGENT, "run", "--trigger", "manual", ""],
    [AGENT, "--root", "/tmp", "schedule", "disable"],
    [AGENT, "schedule"],
    [AGENT, "schedule", "disable", "--help"],
    [AGENT, "update-now"],
    [AGENT, "scan"],
    ["-u", "bob", AGENT, "schedule", "disable"],
    ["PYTHONPATH=/tmp", AGENT, "schedule", "disable"],
    ["--preserve-env=PATH", AGENT, "schedule", "disable"],
    ["-s"],
    ["-e", "/etc/epp-autoupdate/endpoint.json"],
]


def test_without_sudo_the_user_is_told_what_is_missing(on_sudo: Node) -> None:
    grant(on_sudo, **ALL_GRANTED)
    on_sudo.run("mv /usr/bin/sudo /usr/bin/sudo.away")
    try:
        for words in (("schedule", "disable"), ("update-now",)):
            denied = as_user(on_sudo, "alice", *words)
            assert denied.code == DENIED
            assert "this host has no sudo, by which its users would be let in" in denied.err
    finally:
        on_sudo.run("mv /usr/bin/sudo.away /usr/bin/sudo")


@pytest.mark.parametrize("user", ["alice", "bob"])
def test_sudo_opens_no_other_door(on_sudo: Node, user: str) -> None:
    """Exactly the granted command lines, without options, environment or other users."""
    grant(on_sudo, **ALL_GRANTED)
    assert on_sudo.run(["visudo", "-c", "-f", "/etc/sudoers.d/epp-autoupdate"]).code == 0
    opened = [argv for argv in WAYS_AROUND_SUDO if on_sudo.run(["sudo", "-n", *argv], user=user, check=False).code == 0]
    assert opened == []


OWN_FILES = [
    "/usr/local/bin/epp-agent",
    "/etc/epp-autoupdate/endpoint.json",
    "/var/lib/epp-autoupdate/state.json",
    "/var/lib/epp-autoupdate/status.json",
    "/etc/systemd/system/epp-update.timer",
    "/etc/systemd/system/epp-schedule@.service",
    "/etc/polkit-1/rules.d/60-epp-autoupdate.rules",
    "/etc/sudoers.d/epp-autoupdate",
    "/etc/cron.d/epp-autoupdate",
]


@pytest.mark.parametrize("user", ["alice", "bob"])
def test_no_file_of_ours_is_in_a_users_hands(machine: Node, user: str) -> None:
    grant(machine, **ALL_GRANTED)
    before = machine.manifest()
    present = [path for path in OWN_FILES if machine.exists(path)]
    assert len(present) >= 5
    for path in present:
        parent = path.rpartition("/")[0]
        script = f"(echo x >>{path} || mv {path} {path}.moved || rm -f {path} || touch {parent}/new) 2>/dev/null"
        assert machine.run(script, user=user, check=False).code != 0, path
    assert machine.manifest() == before
    secret = machine.run(["cat", "/etc/epp-autoupdate/endpoint.json"], user=user, check=False)
    assert (secret.code != 0, secret.out) == (True, "")
    assert machine.agent("status", user=user).code == 0
    locks = machine.run("exec 9>/run/epp-autoupdate/update.lock", user=user, check=False)
    assert locks.code != 0, "a user could hold the lock and keep updates from running"


def test_a_user_cannot_bring_the_agent_to_run_his_own_code(machine: Node) -> None:
    """The environment and the working directory of a user mean nothing to the agent."""
    grant(machine, **ALL_GRANTED)
    bait = """mkdir -p /tmp/bait && cd /tmp/bait && echo 'open("/tmp/bait/caught", "w")' | tee json.py >argparse.py"""
    machine.run(bait, user="alice")
    script = f"cd /tmp/bait && PYTHONPATH=/tmp/bait PYTHONSTARTUP=/tmp/bait/json.py {AGENT} schedule enable"
    assert machine.run(script, user="alice").code == 0
    assert not machine.exists("/tmp/bait/caught")
