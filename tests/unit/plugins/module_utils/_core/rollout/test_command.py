# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server may say to an endpoint, and the line that leaves its key nothing else."""

from __future__ import annotations

import json

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.authorized_keys import authorized_line
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.command import (
    MAX_SIZE,
    InvalidCommand,
    ReportCommand,
    UpdateCommand,
    parse_command,
)

KEY = "ssh-ed25519 " + "A" * 68
GOOD = {"campaign": "c-00000001", "version": "daily 27500", "trigger": "download"}


def test_an_order_survives_its_line() -> None:
    order = UpdateCommand("c-00000001", "daily 27500", Trigger.DOWNLOAD)
    assert UpdateCommand.parse(order.to_line()) == order
    assert order.to_line().count(b"\n") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"campaign": "short"},
        {"campaign": "../../etc/passwd"},
        {"campaign": 12345678},
        {"version": ""},
        {"version": "1\n2"},
        {"version": "x" * 201},
        {"trigger": "midnight"},
        {"trigger": "reconnect"},
        {"trigger": ["download"]},
        {"command": "sh"},
    ],
)
def test_anything_else_is_no_order(change: dict[str, object]) -> None:
    with pytest.raises(InvalidCommand):
        UpdateCommand.parse(json.dumps({**GOOD, **change}).encode())


@pytest.mark.parametrize("command", [UpdateCommand("c-00000001", "1", Trigger.MANUAL), ReportCommand()])
def test_a_line_is_one_of_two_commands(command: UpdateCommand | ReportCommand) -> None:
    assert parse_command(command.to_line()) == command


@pytest.mark.parametrize(
    "line",
    [
        b'{"command":"run"}',
        b'{"command":"reports"}',
        b'{"command":["report"]}',
        b'{"command":"report","path":"/etc/shadow"}',
        b'{"command":"report","campaign":"c-00000001","trigger":"download","version":"1"}',
        b'["report"]',
        b'"report"',
        b'{"command":"report"}' + b" " * MAX_SIZE,
    ],
)
def test_who_asks_for_a_report_can_choose_nothing(line: bytes) -> None:
    with pytest.raises(InvalidCommand):
        parse_command(line)


@pytest.mark.parametrize("line", [b"", b"null", b"[]", b"{", b"\xff", b'"' + b"x" * 5000 + b'"', b"[" * 4000])
def test_what_is_no_object_is_no_order(line: bytes) -> None:
    with pytest.raises(InvalidCommand):
        UpdateCommand.parse(line)


def test_the_line_for_the_key_restricts_it_to_one_command() -> None:
    line = authorized_line(KEY + " someone@host", command="/usr/local/bin/epp-agent notice")
    assert line == f'restrict,command="/usr/local/bin/epp-agent notice" {KEY} epp-update-server'


@pytest.mark.parametrize(
    ("key", "command"),
    [(KEY, 'a",pty "'), (KEY, "a\nb"), (KEY, "a\\"), ("no key", "a"), ('command="sh" ' + KEY, "a")],
)
def test_nothing_can_be_smuggled_into_that_line(key: str, command: str) -> None:
    with pytest.raises(ValueError, match=r"^not a"):
        authorized_line(key, command=command)
