# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit on a server (G8): what is written down, what a kill leaves, and what tampering and backups look like."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.audit.entry import AuditKind, Note
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.decide import EventKind
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths, payload
from ansible_collections.epp.autoupdate.plugins.module_utils._server.audit.changes import record_decision
from ansible_collections.epp.autoupdate.plugins.module_utils._server.audit.check import first_problem
from ansible_collections.epp.autoupdate.plugins.module_utils._server.audit.log import record

from ..fleet.conftest import Server

EARLY = {"schedule": {"start": "03:00"}}
_KILLS = 12


def log_of(server: Server) -> Path:
    return Path(server.host.real(paths.AUDIT_LOG))


def entries(server: Server) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log_of(server).read_text().splitlines()]


def verified(server: Server, *more: str) -> tuple[int, list[str]]:
    """The exit status and the problems."""
    status, out, _err = server.run("audit", "verify", "--json", *more)
    return status, [problem["problem"] for problem in json.loads(out)["problems"]]


def test_each_change_is_written_down_with_who_asked_and_what_it_was(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "alice")
    monkeypatch.setenv("EPP_REQUESTED_BY", "bob on the control node")
    server.register("a", "b", domain="emea")
    server.set("domain", EARLY, name="emea")
    server.ask("keys", "rotate", "--json")
    found = entries(server)
    kinds = [entry["kind"] for entry in found]
    assert kinds == ["tree_changed", "published", "policy_changed", "published", "key_rotated", "published"]
    assert all(entry["by"] == {"user": "alice", "on_behalf_of": "bob on the control node"} for entry in found)
    assert found[0]["evidence"]["endpoints"]["added"] == {"count": 2, "names": ["a", "b"]}
    assert found[2]["about"] == {"scope": "domain", "name": "emea"}
    assert found[2]["evidence"]["values"] == EARLY
    assert found[5]["evidence"]["documents"][0] == {"name": "tree", "serial": server.tree().header.serial}
    assert [key["stage"] for key in found[4]["evidence"]["after"]["keys"]] == ["current", "next"]
    assert verified(server) == (0, [])


def test_what_changes_nothing_is_not_written_down(server: Server) -> None:
    server.register("a")
    before = entries(server)
    server.register("a")
    server.ask("tree", "set", "--check", document={"scope": "root", "values": EARLY})
    server.ask("publish", "--json")
    assert [entry["kind"] for entry in entries(server)[len(before) :]] == ["published"]  # the first catalog
    count = len(entries(server))
    server.ask("publish", "--json")
    assert len(entries(server)) == count


def test_a_change_that_can_not_be_written_down_is_not_made(server: Server) -> None:
    server.register("a")
    os.remove(server.host.real(paths.AUDIT_LOCK))
    os.mkdir(server.host.real(paths.AUDIT_LOCK))
    status, _out, err = server.run("tree", "set", document={"scope": "root", "values": EARLY})
    assert status == 1, err
    os.rmdir(server.host.real(paths.AUDIT_LOCK))
    assert server.ask("tree", "show", "--json")["root"]["own"] == {}


def test_settings_are_named_by_their_sections_alone(server: Server) -> None:
    server.settings(notify={"key": "/srv/secret-key"})
    server.ask("publish", "--json")
    server.settings(notify={"key": "/srv/other-secret-key"}, fetch={"every": "2h"})
    server.ask("publish", "--json")
    changed = [entry for entry in entries(server) if entry["kind"] == "settings_changed"]
    assert [entry["about"] for entry in changed] == [{"sections": "fetch, notify"}]
    assert "secret" not in log_of(server).read_text()


def _remove(lines: list[str]) -> list[str]:
    return [*lines[:1], *lines[2:]]


def _change(lines: list[str]) -> list[str]:
    return [*lines[:1], lines[1].replace("published", "offered"), *lines[2:]]


def _swap(lines: list[str]) -> list[str]:
    return [lines[1], lines[0], *lines[2:]]


def _cut(lines: list[str]) -> list[str]:
    return lines[:-2]


def _append(lines: list[str]) -> list[str]:
    return [*lines, lines[-1]]


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (_remove, "entry 2 is missing here"),
        (_change, "line 2 was changed"),
        (_swap, "it is entry 2: entry 1 is missing here"),
        (_cut, "the end is missing"),
        (_append, "was never signed"),
    ],
)
def test_tampering_is_found_is_an_alarm_and_nothing_is_signed_over_it(
    server: Server, tamper: Callable[[list[str]], list[str]], words: str
) -> None:
    server.register("a")
    server.set("root", EARLY)
    assert first_problem(server.host, remember=True) == ""
    whole = log_of(server).read_text()
    log_of(server).write_text("".join(line + "\n" for line in tamper(whole.splitlines())))
    status, found = verified(server)
    assert status == 1
    assert any(words in problem for problem in found), found
    status, out, _err = server.run("health", "--json")
    assert (status, json.loads(out)["alarms"][0]["name"]) == (1, "audit")
    server.set("root", {"schedule": {"start": "04:00"}})
    if tamper in (_cut, _append):  # the end is looked at before each entry
        assert entries(server)[0]["kind"] == "damaged"
        (aside,) = log_of(server).parent.glob("audit.jsonl.damaged-*[0-9]")
        assert aside.read_text() == "".join(line + "\n" for line in tamper(whole.splitlines()))
        assert any("lies aside" in problem for problem in verified(server)[1])
        aside.unlink()
        assert verified(server) == (0, [])
    else:
        assert verified(server)[0] == 1


def test_a_head_of_somebody_else_is_not_believed(server: Server, tmp_path: Path) -> None:
    """Whoever has no key of the server can make the chain right, but not the head."""
    server.register("a")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    head = Path(server.host.real(paths.AUDIT_HEAD))
    document = head.read_bytes().partition(b"\n")[2]
    sign = ["ssh-keygen", "-Y", "sign", "-q", "-f", key, "-n", "epp-audit"]
    signature = subprocess.run(sign, input=document, capture_output=True, check=True).stdout.decode()
    first = json.dumps({"format": 1, "namespace": "epp-audit", "signature": signature}).encode()
    head.write_bytes(first + b"\n" + document)
    status, found = verified(server)
    assert status == 1
    assert "not one that this server has signed" in found[0]
    head.unlink()
    assert verified(server) == (1, ["the signed head is missing"])
    server.set("root", EARLY)
    assert entries(server)[0]["kind"] == "damaged"


def test_the_keys_may_be_rotated_and_the_audit_stays_good(server: Server) -> None:
    server.register("a")
    for _step in range(4):
        server.ask("keys", "rotate", "--json")
        assert verified(server) == (0, [])
    for _week in range(8):
        server.forward(7 * 86400)
        server.ask("publish", "--json")
        assert verified(server) == (0, [])


def test_a_backup_that_is_brought_back_is_told_and_found_by_a_copy(server: Server, tmp_path: Path) -> None:
    server.register("a")
    state, backup = Path(server.host.real(paths.STATE_DIRECTORY)), tmp_path / "backup"
    shutil.copytree(state, backup)
    server.set("root", EARLY)
    copy = tmp_path / "export.jsonl"
    status, out, _err = server.run("audit", "export")
    assert status == 0
    copy.write_text(out)
    assert copy.read_bytes() == log_of(server).read_bytes()
    assert verified(server, "--against", str(copy)) == (0, [])
    shutil.rmtree(state)
    shutil.copytree(backup, state)
    assert verified(server) == (0, [])
    status, found = verified(server, "--against", str(copy))
    assert (status, found) == (1, ["the copy has 4 lines, and here are 2"])
    server.ask("publish", "--json")
    assert "restored" in [entry["kind"] for entry in entries(server)]
    assert verified(server) == (0, [])
    status, found = verified(server, "--against", str(copy))
    assert (status, found) == (1, ["it is not the line of the copy"])


def test_a_version_is_explained_from_the_file_alone(server: Server) -> None:
    reports = {"updated": 12, "failed": 0, "probe": {"passed": 12}}
    about = {"product": "clamav", "version": "27555", "ring": "canaries"}
    record(server.host, Note(AuditKind.OFFERED, about, evidence={"ring": "canaries"}))
    record(server.host, Note(AuditKind.PASSED, about, "12 of 12 are healthy", {"reports": reports}, {"user": "server"}))
    record(server.host, Note(AuditKind.OFFERED, {**about, "version": "27556"}))
    told = server.ask("audit", "explain", "27555", "--json")["entries"]
    assert [entry["kind"] for entry in told] == ["offered", "passed"]
    assert told[1]["evidence"]["reports"] == reports
    lines = server.run("audit", "explain", "27555")[1].splitlines()
    assert "passed clamav 27555 canaries (by server): 12 of 12 are healthy" in lines[2]
    assert "no entry is about 1" in server.run("audit", "explain", "1")[1]
    assert len(server.ask("audit", "show", "--last", "2", "--json")["entries"]) == 2


def test_a_decision_about_a_rollout_is_a_line_with_its_evidence(server: Server) -> None:
    failed = {"failed": 2, "of": 2, "reasons": {"the probe found nothing": 2}}
    halted = {"product": "clamav", "version": "27555", "ring": "canaries", "kind": "halted", "reason": "2 of 2 failed"}
    record_decision(server.host, {**halted, "evidence": failed})
    record_decision(
        server.host, {**halted, "kind": "aborted", "ring": "", "reason": "bad", "evidence": {"by": "alice"}}
    )
    first, second = entries(server)
    assert (first["kind"], first["about"]["ring"], first["evidence"]) == ("halted", "canaries", failed)
    assert (second["kind"], second["by"]["on_behalf_of"], second["reason"]) == ("aborted", "alice", "bad")
    assert second["by"]["user"] == first["by"]["user"]
    assert {one.value for one in EventKind} <= {one.value for one in AuditKind}


def test_who_asks_is_the_login_where_no_sudo_was(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.delenv("EPP_REQUESTED_BY", raising=False)
    record(server.host, Note(AuditKind.HALTED))
    assert entries(server)[0]["by"].keys() == {"user"}
    assert entries(server)[0]["by"]["user"]


def test_processes_at_once_write_one_chain(server: Server, tmp_path: Path) -> None:
    program = _program(tmp_path)
    server.register("a")
    argv = [program, "--root", server.host.root, "tree", "set"]
    running = []
    for hour in range(4):
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert process.stdin is not None
        process.stdin.write(json.dumps({"scope": "root", "values": {"schedule": {"start": f"0{hour}:00"}}}).encode())
        process.stdin.close()
        running.append(process)
    assert [process.wait() for process in running] == [0] * 4
    assert verified(server) == (0, [])
    assert len(entries(server)) == 2 + 2 * 4


@pytest.mark.heavy
def test_a_kill_at_any_moment_leaves_an_audit_that_goes_on(server: Server, tmp_path: Path) -> None:
    """C3: real processes are killed at random moments of a change."""
    program, draw = _program(tmp_path), random.Random(8)
    server.register("a")
    for number in range(_KILLS):
        document = {"scope": "root", "values": {"schedule": {"start": f"{number % 24:02}:{number % 60:02}"}}}
        argv = [program, "--root", server.host.root, "tree", "set"]
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert process.stdin is not None
        process.stdin.write(json.dumps(document).encode())
        process.stdin.close()
        time.sleep(draw.uniform(0.05, 0.9))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert verified(server) == (0, []), number
    server.set("root", EARLY)
    assert verified(server) == (0, [])
    assert "damaged" not in [entry["kind"] for entry in entries(server)]


@pytest.mark.parametrize("left", [0, 1, 40, -1])
def test_a_line_that_was_cut_off_is_finished_by_the_next_entry(server: Server, left: int) -> None:
    """The head is there, and of its line nothing, a part, or all but its end."""
    server.register("a")
    whole = log_of(server).read_bytes()
    begin = whole.rindex(b"\n", 0, -1) + 1
    length = len(whole) - 1 if left < 0 else begin + left
    os.truncate(log_of(server), length)
    assert verified(server) == (0, [])
    server.set("root", EARLY)
    assert log_of(server).read_bytes().startswith(whole)
    assert verified(server) == (0, [])


def _program(tmp_path: Path) -> Path:
    path = tmp_path / "epp-server"
    path.write_bytes(payload.build(payload.sources(), interpreter=sys.executable))
    path.chmod(0o755)
    return path
