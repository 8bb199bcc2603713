# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the update server is asked for its endpoints, and what is said where it does not answer."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.plugin_utils._fleet import source
from ansible_collections.epp.autoupdate.plugins.plugin_utils._fleet.source import Command, NoFleet

SSH = pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh here")
NO_CONFIGURATION = ("-F", "/dev/null")


def refused(**options: Any) -> str:
    with pytest.raises(NoFleet) as error:
        source.asked(Command(**options))
    return str(error.value)


def program(root: Path, script: str) -> str:
    """A directory that stands for a server's host whose program is this script."""
    place = root / "usr/local/bin/epp-server"
    place.parent.mkdir(parents=True)
    place.write_text(f"#!/bin/sh\n{script}\n")
    place.chmod(0o755)
    return str(root)


def test_the_server_is_asked_here_or_by_ssh_and_as_its_own_user_where_that_is_needed() -> None:
    assert Command().argv() == ["/usr/local/bin/epp-server", "endpoints", "--json"]
    told = Command(server="me@updates", ssh_arguments=("-p", "2222"), become=True)
    sudo = "sudo -n -u epp-server -- /usr/local/bin/epp-server endpoints --json"
    assert told.argv() == ["ssh", "-T", "-o", "BatchMode=yes", "-p", "2222", "--", "me@updates", sudo]
    awkward = Command(server="updates", root="/srv/a b; reboot", become_user="$(reboot)", become=True).argv()[-1]
    assert "-u '$(reboot)' -- '/srv/a b; reboot/usr/local/bin/epp-server' --root '/srv/a b; reboot'" in awkward


def test_the_last_line_counts_for_login_shells_greet(tmp_path: Path) -> None:
    root = program(tmp_path, 'echo Welcome; echo "["$1", "$2"]"; echo warning >&2')
    assert source.asked(Command(root=root)) == f'["--root", "{root}"]'.replace('"', "")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'epp-server: permission denied' >&2; exit 77", "Log in as root or as epp-server, or set become: true"),
        ("printf 'a\\033[31mred\\nb' >&2; exit 1", "a\\x1b[31mred; b"),
        ("exit 3", "ended with exit code 3 and said nothing"),
        ("exit 127", "apply the role epp.autoupdate.server to that host first"),
    ],
)
def test_why_there_is_no_list_and_what_to_do(tmp_path: Path, script: str, words: str) -> None:
    message = refused(root=program(tmp_path, script))
    assert message.startswith(f"{tmp_path}: ")
    assert words in message


def test_a_host_without_a_server_is_told_with_the_way_out(tmp_path: Path) -> None:
    assert refused(root=str(tmp_path)).endswith(
        f"there is no {tmp_path}/usr/local/bin/epp-server: apply the role epp.autoupdate.server to that host first, or "
        "set server"
    )


@pytest.mark.parametrize("server", ["-oProxyCommand=reboot", "a b", "a\nb", "\u202ea"])
def test_what_ssh_would_take_for_something_else_is_refused(server: str) -> None:
    assert "is not a name of a host for ssh" in refused(server=server)


@SSH
def test_ssh_says_why_it_failed_and_the_message_how_to_try_it() -> None:
    message = refused(server="127.0.0.1", ssh_arguments=(*NO_CONFIGURATION, "-p", "1"))
    assert message.startswith("127.0.0.1: ssh failed: ")
    assert "Connection refused" in message
    by_hand = "ssh -T -o BatchMode=yes -F /dev/null -p 1 -- 127.0.0.1 '/usr/local/bin/epp-server endpoints --json'"
    assert by_hand in message


@SSH
def test_a_server_that_does_not_answer_is_left_after_the_time_and_so_is_its_proxy(tmp_path: Path) -> None:
    proxy = f"ProxyCommand=sh -c 'echo $$ >{tmp_path}/pid; exec sleep 300'"
    message = refused(server="updates.invalid", ssh_arguments=(*NO_CONFIGURATION, "-o", proxy), timeout=1)
    assert "there was no answer within 1 s; see whether" in message
    pid = (tmp_path / "pid").read_text().strip()
    deadline = time.monotonic() + 30
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not os.path.exists(f"/proc/{pid}")


def test_a_control_node_without_ssh_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refused(server="updates") == "updates: OpenSSH's client (ssh) is not installed on the control node"


def test_a_file_is_read_or_it_is_said_who_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "fleet.json"
    with pytest.raises(NoFleet, match=r"can't be read \(No such file.*epp-server endpoints --json"):
        source.read(str(place))
    place.write_bytes(b"[\xff]")
    assert source.read(str(place)) == "[\ufffd]"
    monkeypatch.setattr(source, "LARGEST", 2)
    with pytest.raises(NoFleet, match="larger than 2 bytes"):
        source.read(str(place))


def test_an_answer_without_end_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "LARGEST", 1000)
    assert "the answer is larger than 1000 bytes" in refused(root=program(tmp_path, "yes | head -c 100000"))
