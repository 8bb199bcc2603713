# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that breaks an update half way: the old components stay usable and the next run recovers (R1-R3, C3)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_cases import cases
from lab_nodes import Node, eventually
from lab_server import ComponentServer

MACHINE = "n9"
PLACE = "/srv/components"
DATABASES = "/var/lib/clamav"
STATE = "/var/lib/epp-autoupdate"
KILOBYTE = 1024
Databases = Callable[[int], dict[str, Path]]

# Prints, for every file of the version that is in place, its name and digest.
LOOK = f"cd {PLACE}/current/ && sha256sum -- *"
UNDER_WAY = f"find {PLACE}/incoming -name '*.part' -size +8k | grep -q ."


@pytest.fixture(scope="module")
def enrolled(node: Callable[[str], Node], ansible: Ansible) -> Node:
    ansible.converge({MACHINE: documents.command(MACHINE)}).demand()
    return node(MACHINE)


@pytest.fixture
def machine(enrolled: Node) -> Iterator[Node]:
    """The machine without components or memory; small file systems that a test mounts are gone after it."""
    enrolled.run(f"rm -rf {PLACE} {STATE}/state.json {STATE}/status.json {DATABASES}/*; mkdir -p {PLACE}")
    yield enrolled
    enrolled.run("systemctl stop 'epp-update@*' 2>/dev/null; systemctl reset-failed", check=False)
    enrolled.run(f"for place in {PLACE} {DATABASES} {STATE}; do ! mountpoint -q $place || umount $place; done")


@pytest.fixture
def with_files(machine: Node, component_server: ComponentServer) -> Node:
    """Version 1 of some files, up to date."""
    component_server.publish(documents.file_source("1", contents("1")))
    machine.apply(documents.files(MACHINE, component_server.url, files={"directory": PLACE}))
    assert update(machine)["result"] == "updated"
    component_server.forget()
    return machine


@pytest.fixture
def with_databases(machine: Node, component_server: ComponentServer, databases: Databases) -> Node:
    """Version 1 of the signed database, up to date."""
    component_server.publish(databases(1))
    machine.apply(documents.clamav(MACHINE, component_server.url))
    assert update(machine)["result"] == "updated"
    component_server.forget()
    return machine


def contents(version: str, *, count: int = 6, size: int = 60 * KILOBYTE) -> dict[str, bytes]:
    """Files of a version: no two alike, each name and version always the same."""
    return {f"part-{i}.dat": (f"{version} {i} " * size).encode()[:size] for i in range(count)}


def update(node: Node, trigger: str = "manual") -> dict[str, Any]:
    report = node.agent_run(trigger).json()
    assert isinstance(report, dict)
    return report


def installed(node: Node) -> dict[str, str]:
    lines = (line.split() for line in node.run(LOOK).out.splitlines())
    return {name: digest for digest, name in lines}


def digests(version: str, **options: int) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents(version, **options).items()}


def database(node: Node) -> str:
    """The installed version, after making sure that a scanner can use it."""
    node.run(["clamscan", "--no-summary", f"--database={DATABASES}", "/etc/hostname"])
    (component,) = node.agent_status()["components"]
    return str(component["version"])


def break_off(node: Node, after: float, *, whom: str = "all") -> None:
    """Start an update by its unit and kill -9 it after some seconds."""
    node.run(
        "systemctl start --no-block epp-update@download.service\n"
        f"sleep {after}\n"
        f"systemctl kill --kill-who={whom} --signal=KILL epp-update@download.service\n"
        "while systemctl is-active -q epp-update@download.service; do sleep 0.1; done\n"
        "systemctl reset-failed 'epp-update@*' 2>/dev/null || true"
    )


@pytest.mark.heavy
def test_killed_at_any_moment_a_set_of_files_is_old_or_new_but_never_mixed(
    with_files: Node, component_server: ComponentServer
) -> None:
    """C3: the transfer takes about two seconds; ten kills on the way through it and past its end."""
    component_server.throttle("180k")
    interrupted = 0
    for step in range(10):
        version = str(step + 2)
        allowed = [digests(v) for v in (str(step + 1), version)] + [installed(with_files)]
        component_server.publish(documents.file_source(version, contents(version)))
        break_off(with_files, 0.15 + step * 0.25, whom="main" if step % 2 else "all")
        assert installed(with_files) in allowed, f"mixed after a kill in step {step}"
        interrupted += with_files.agent_status()["running"] is not None
    assert interrupted >= 3, "the kills did not hit"
    component_server.publish(documents.file_source("12", contents("12")))
    break_off(with_files, 1)
    component_server.throttle("0")
    report = update(with_files)
    assert report["result"] in ("updated", "current")
    assert installed(with_files) == digests("12")
    told = with_files.agent_status()["last"]["download"]
    assert (told["result"], "interrupted" in told["reason"]) == ("failed", True), told
    left = with_files.run(f"find {PLACE}/incoming -type f 2>/dev/null", check=False).out
    assert left == ""


@pytest.mark.parametrize("after", cases({"0.3": 0.3, "0.8": 0.8, "1.5": 1.5, "2.5": 2.5}, "1.5"))
def test_killed_at_any_moment_a_database_stays_usable(
    with_databases: Node, component_server: ComponentServer, databases: Databases, after: float
) -> None:
    component_server.throttle("4k")
    component_server.publish({name: path for name, path in databases(4).items() if not name.endswith(".cdiff")})
    break_off(with_databases, after, whom="all" if after > 1 else "main")
    assert database(with_databases) in ("1", "4")
    component_server.answer(None)
    assert update(with_databases)["result"] in ("updated", "current")
    assert database(with_databases) == "4"
    leftovers = with_databases.run(f"ls -d {DATABASES}/tmp.* 2>/dev/null", check=False).out.split()
    assert len(leftovers) <= 1, "what a killed freshclam leaves does not pile up"


def test_told_to_stop_it_says_so(with_files: Node, component_server: ComponentServer) -> None:
    component_server.throttle("60k")
    component_server.publish(documents.file_source("2", contents("2")))
    with_files.run(["systemctl", "start", "--no-block", "epp-update@download.service"])
    with_files.wait(UNDER_WAY, seconds=60, why="a transfer is under way")
    with_files.run(["systemctl", "stop", "epp-update@download.service"])
    status = with_files.agent_status()
    assert status["running"] is None
    assert (status["last"]["download"]["result"], status["last"]["download"]["reason"]) == (
        "failed",
        "the run was stopped",
    )
    assert installed(with_files) == digests("1")


@pytest.mark.heavy
def test_an_update_that_takes_too_long_is_ended(with_files: Node, component_server: ComponentServer) -> None:
    slow = {"files": {"directory": PLACE}, "limits": {"update": "10s"}}
    with_files.apply(documents.files(MACHINE, component_server.url, **slow))
    component_server.throttle("4k")
    component_server.publish(documents.file_source("2", contents("2")))
    report = update(with_files)
    assert report["result"] == "failed"
    assert "10" in report["reason"]
    component_server.stop()  # what it was sending is in its log now
    sizes = [request.size for request in component_server.requests() if "/objects/" in request.path]
    assert sizes
    assert max(sizes) < 60 * KILOBYTE, "a file takes 15 seconds"
    assert installed(with_files) == digests("1")


def test_a_full_disk_keeps_the_files_and_heals(machine: Node, component_server: ComponentServer) -> None:
    small, large = {"count": 2, "size": 20 * KILOBYTE}, {"count": 4, "size": 200 * KILOBYTE}
    machine.run(["mount", "-t", "tmpfs", "-o", "size=300k,mode=755", "tmpfs", PLACE])
    component_server.publish(documents.file_source("1", contents("1", **small)))
    machine.apply(documents.files(MACHINE, component_server.url, files={"directory": PLACE}))
    assert update(machine)["result"] == "updated"
    component_server.publish(documents.file_source("2", contents("2", **large)))
    machine.run(["systemctl", "start", "epp-update@manual.service"], check=False)
    run = machine.agent_status()["last"]["manual"]
    assert run["result"] == "failed"
    assert "space" in run["reason"].lower(), run
    assert installed(machine) == digests("1", **small)
    machine.run(["mount", "-o", "remount,size=3m", PLACE])
    machine.run(["systemctl", "start", "epp-update@manual.service"])
    assert installed(machine) == digests("2", **large)


@pytest.mark.heavy
def test_a_full_disk_keeps_the_database_and_heals(
    with_databases: Node, component_server: ComponentServer, databases: Databases
) -> None:
    """freshclam's exit code is 0 here; the evidence tells (R1)."""
    node = with_databases
    node.run(
        f"cp -a {DATABASES} /srv/kept; mount -t tmpfs -o size=48k,mode=755 tmpfs {DATABASES}; "
        f"chown clamav: {DATABASES}; cp -a /srv/kept/test.c* {DATABASES}; rm -r /srv/kept; "
        f"dd if=/dev/zero of={DATABASES}/filler bs=1k 2>/dev/null; true"
    )
    component_server.publish(databases(4))
    report = update(node)
    assert report["result"] == "failed", report
    assert report["reason"]
    node.run(f"rm {DATABASES}/filler; mount -o remount,size=4m {DATABASES}")
    assert database(node) == "1"
    assert update(node)["result"] == "updated"
    assert database(node) == "4"


def test_a_state_directory_that_is_full_does_not_stop_updates(
    with_files: Node, component_server: ComponentServer
) -> None:
    """The components matter more than their record; the record is made up for."""
    with_files.run(
        f"cp -a {STATE} /srv/kept; mount -t tmpfs -o size=32k,mode=755 tmpfs {STATE}; cp -a /srv/kept/st* {STATE}; "
        f"rm -r /srv/kept; dd if=/dev/zero of={STATE}/filler bs=1k 2>/dev/null; true"
    )
    component_server.publish(documents.file_source("2", contents("2")))
    assert update(with_files, "download")["result"] == "updated"
    assert installed(with_files) == digests("2")
    assert with_files.agent_status()["last"]["download"]["result"] == "updated"
    with_files.run(["rm", f"{STATE}/filler"])
    assert update(with_files)["result"] == "current"
    saved = json.loads(with_files.read(f"{STATE}/state.json"))
    assert saved["last"]["download"]["result"] == "updated"


def test_a_read_only_file_system_is_told_and_heals(with_files: Node, component_server: ComponentServer) -> None:
    with_files.run(f"mount --bind {PLACE} {PLACE} && mount -o remount,bind,ro {PLACE}")
    component_server.publish(documents.file_source("2", contents("2")))
    report = update(with_files)
    assert report["result"] == "failed"
    assert "read-only" in report["reason"].lower(), report
    assert installed(with_files) == digests("1")
    with_files.run(["umount", PLACE])
    assert update(with_files)["result"] == "updated"
    assert installed(with_files) == digests("2")


@pytest.mark.heavy
def test_a_read_only_database_directory_is_told_and_heals(
    with_databases: Node, component_server: ComponentServer, databases: Databases
) -> None:
    with_databases.run(f"mount --bind {DATABASES} {DATABASES} && mount -o remount,bind,ro {DATABASES}")
    component_server.publish(databases(3))
    report = update(with_databases)
    assert report["result"] == "failed", report
    assert report["reason"]
    assert database(with_databases) == "1"
    with_databases.run(["umount", DATABASES])
    assert update(with_databases)["result"] == "updated"
    assert database(with_databases) == "3"


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "of the right size but wrong": lambda content: b"!" + content[1:],
    "too long": lambda content: content + b"more",
}


@pytest.mark.parametrize("spoil", cases(SPOILT, "of the right size but wrong"))
def test_a_file_that_is_not_what_the_manifest_says(
    with_files: Node, component_server: ComponentServer, spoil: Callable[[bytes], bytes]
) -> None:
    """All or nothing: one bad file of six, and the version before stays whole."""
    source = documents.file_source("2", contents("2"))
    bad = sorted(name for name in source if name.startswith("objects/"))[3]
    component_server.publish({**source, bad: spoil(bytes(source[bad]))})  # type: ignore[arg-type]
    report = update(with_files)
    assert report["result"] == "failed", report
    assert report["reason"]
    assert installed(with_files) == digests("1")
    component_server.publish(source)
    assert update(with_files)["result"] == "updated"
    assert installed(with_files) == digests("2")


def test_a_manifest_that_is_cut_off(with_files: Node, component_server: ComponentServer) -> None:
    source = documents.file_source("2", contents("2"))
    component_server.publish({**source, "manifest.json": str(source["manifest.json"])[:200]})
    assert update(with_files)["result"] == "failed"
    assert installed(with_files) == digests("1")


def test_a_transfer_that_breaks_off_goes_on_where_it_stopped(
    with_files: Node, component_server: ComponentServer
) -> None:
    component_server.throttle("100k")
    component_server.publish(documents.file_source("2", contents("2", count=1, size=600 * KILOBYTE)))
    with_files.run(["systemctl", "start", "--no-block", "epp-update@download.service"])
    with_files.wait(UNDER_WAY, seconds=60, why="a transfer is under way")
    component_server.stop()
    with_files.wait("! systemctl is-active -q epp-update@download.service", seconds=30, why="the run gives up")
    assert with_files.agent_status()["last"]["download"]["result"] in ("failed", "unreachable")
    assert installed(with_files) == digests("1")
    component_server.throttle("0")
    component_server.forget()
    component_server.start()
    assert update(with_files)["result"] == "updated"
    assert installed(with_files) == digests("2", count=1, size=600 * KILOBYTE)
    (fetched,) = [request for request in component_server.requests() if request.path.startswith("/objects/")]
    assert (fetched.status, fetched.range.startswith("bytes=")) == (206, True), fetched


@pytest.mark.parametrize("part", cases(["test-2.cdiff", "test-3.cdiff"], "test-3.cdiff"))
def test_a_spoilt_patch_never_spoils_the_database(
    with_databases: Node, component_server: ComponentServer, databases: Databases, part: str
) -> None:
    source: dict[str, Any] = databases(3)
    component_server.publish({**source, part: source[part].read_bytes()[:-200]})
    report = update(with_databases)
    assert report["result"] in ("updated", "failed"), report
    assert database(with_databases) in ("1", "2", "3")
    component_server.publish(source)
    assert update(with_databases)["result"] in ("updated", "current")
    assert database(with_databases) == "3"


@pytest.mark.heavy
def test_a_database_whose_signature_does_not_fit_is_refused(
    with_databases: Node, component_server: ComponentServer, databases: Databases
) -> None:
    whole = bytearray(databases(4)["test.cvd"].read_bytes())
    whole[-100] ^= 0xFF
    component_server.publish({"test.cvd": bytes(whole)})
    report = update(with_databases)
    assert report["result"] == "failed", report
    assert database(with_databases) == "1"
    component_server.publish(databases(4))
    assert update(with_databases)["result"] == "updated"
    assert database(with_databases) == "4"


def test_two_triggers_at_once_are_one_update(with_files: Node, component_server: ComponentServer) -> None:
    """R3: one does the work, the other waits for it and says that it joined."""
    component_server.throttle("180k")
    component_server.publish(documents.file_source("2", contents("2")))
    component_server.forget()
    with_files.run("systemctl start epp-update@manual.service & systemctl start epp-update@download.service & wait")
    last = with_files.agent_status()["last"]
    assert {last[trigger]["result"] for trigger in ("manual", "download")} == {"updated"}
    joined = {trigger: last[trigger]["joined"] for trigger in ("manual", "download")}
    assert joined in ({"manual": "download", "download": None}, {"manual": None, "download": "manual"})
    requests = [request.path for request in component_server.requests()]
    assert len(requests) == len(set(requests)) == 7, requests
    assert installed(with_files) == digests("2")


@pytest.mark.heavy
def test_many_triggers_at_once_with_the_real_updater(
    with_databases: Node, component_server: ComponentServer, databases: Databases
) -> None:
    component_server.publish(databases(3))
    runs = " & ".join(f"epp-agent run --trigger {trigger}" for trigger in ("manual", "download") * 3)
    with_databases.run(f"({runs} & wait) >/dev/null")
    assert database(with_databases) == "3"
    patches = [request.path for request in component_server.requests() if request.path.endswith(".cdiff")]
    assert sorted(patches) == ["/test-2.cdiff", "/test-3.cdiff"]


def test_a_damaged_state_is_set_aside_and_told(with_files: Node) -> None:
    with_files.write(f"{STATE}/state.json", '{"switch": tru')
    assert update(with_files)["result"] == "current"
    assert with_files.agent_status()["last"]["manual"]["result"] == "current"
    assert with_files.exists(f"{STATE}/state.json.unreadable")
    eventually(lambda: "can't be understood" in with_files.journal(), seconds=5, why="the journal says so")
