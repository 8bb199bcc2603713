# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each way to tamper with what is published is refused with its own result, and the last good one stays (C1-C3)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.header import MAX_SIZE
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.shard import Membership
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.endpoint import Endpoint
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.sync.sync import synchronize
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.trust import store
from ansible_collections.epp.autoupdate.plugins.module_utils._host.host import Completed
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import Answer

from .conftest import Managed

Tamper = Callable[[Managed], Any]


def edit(managed: Managed, kind: str, old: bytes, new: bytes) -> None:
    path = managed.publisher.path(kind)
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))


def truncate(managed: Managed, kind: str, left: float) -> None:
    path = managed.publisher.path(kind)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * left)])


def swap(managed: Managed) -> None:
    """Both are genuine, and each is where the other belongs."""
    managed.publisher.publish()
    tree, shard = (managed.publisher.path(kind) for kind in ("tree", "shard"))
    contents = tree.read_bytes(), shard.read_bytes()
    shard.write_bytes(contents[0])
    tree.write_bytes(contents[1])


def signed_by_one_whom_the_tree_dropped(managed: Managed) -> None:
    managed.publisher.signers = ("b",)
    managed.publisher.tree()
    managed.publisher.shard(key="a")


def without_the_endpoint(managed: Managed) -> None:
    managed.publisher.endpoints = {"n2": Membership("", 8)}
    managed.publisher.shard()


def of_another_policy(**policy: Any) -> Tamper:
    return lambda managed: managed.publisher.tree(root=policy)


def large(managed: Managed, kind: str) -> None:
    managed.publisher.path(kind).write_bytes(bytes(MAX_SIZE + 1))


def endless(managed: Managed) -> None:
    managed.server.script = lambda path, headers: Answer(
        200, bytes(MAX_SIZE + 70_000), {"Transfer-Encoding": "identity"}
    )


def redirected(managed: Managed, where: str) -> None:
    managed.server.script = lambda path, headers: Answer(302, b"", {"Location": where})


TAMPERED: dict[str, tuple[Tamper, str, str]] = {
    "tree edited": (lambda m: edit(m, "tree", b'"start":"02:00"', b'"start":"03:00"'), "bad_signature", "tree: "),
    "shard edited": (lambda m: edit(m, "shard", b'"ordinal":7', b'"ordinal":8'), "bad_signature", "shard: "),
    "tree's signature edited": (lambda m: edit(m, "tree", b"U1NIU0lH", b"U1NIU0lI"), "bad_signature", "tree: "),
    "tree signed for another purpose": (lambda m: m.publisher.tree(namespace="epp-catalog"), "bad_signature", "tree"),
    "tree signed for another purpose, and it lies": (
        lambda m: m.publisher.tree(namespace="epp-catalog", stated="epp-configuration"),
        "bad_signature",
        "tree",
    ),
    "shard signed for another purpose": (
        lambda m: m.publisher.shard(namespace="epp-catalog"),
        "bad_signature",
        "shard",
    ),
    "tree signed by another key": (lambda m: m.publisher.tree(key="b"), "unknown_key", "tree"),
    "shard signed by another key": (lambda m: m.publisher.shard(key="b"), "unknown_key", "shard"),
    "shard signed by a key that the tree drops": (signed_by_one_whom_the_tree_dropped, "unknown_key", "shard"),
    "tree of a lower serial": (lambda m: m.publisher.tree(serial=4), "rollback", "tree: its serial is 4, lower than 5"),
    "shard of a lower serial": (lambda m: m.publisher.shard(serial=4), "rollback", "shard: its serial is 4"),
    "another tree under its serial": (lambda m: m.publisher.tree(serial=5, root={}), "rollback", "its serial, 5"),
    "tree that has ended": (
        lambda m: m.publisher.tree(expires=m.publisher.now),
        "expired",
        "ended at 2026-11-22T12:00",
    ),
    "shard that has ended": (lambda m: m.publisher.shard(expires=m.publisher.now - 1), "expired", "shard: it ended"),
    "each in the place of the other": (swap, "malformed", 'tree: kind: "shard" is not "tree"'),
    "another shard": (lambda m: m.publisher.shard(number=3), "malformed", "shard: it is number 3"),
    "shard without this endpoint": (without_the_endpoint, "not_registered", "no endpoint n1"),
    "tree cut off in its document": (lambda m: truncate(m, "tree", 0.9), "bad_signature", "tree"),
    "tree cut off in its signature": (lambda m: truncate(m, "tree", 0.3), "malformed", "tree"),
    "an empty shard": (lambda m: truncate(m, "shard", 0), "malformed", "shard"),
    "no JSON, but signed": (lambda m: m.publisher.tree(document=b"<html>"), "malformed", "no JSON"),
    "not all of its keys": (lambda m: m.publisher.tree(document=b'{"format":1,"kind":"tree"}'), "malformed", "serial"),
    "a tree that is too large": (lambda m: large(m, "tree"), "too_large", "tree: it has more than the 16777216 bytes"),
    "a shard that is too large": (lambda m: large(m, "shard"), "too_large", "shard: it has more"),
    "more than it announces": (endless, "too_large", "tree"),
    "a policy with a wrong value": (of_another_policy(schedule={"window": "2x"}), "invalid_policy", "schedule.window"),
    "a policy that contradicts itself": (
        of_another_policy(schedule={"frequency": "hours", "window": "2h"}),
        "invalid_policy",
        "schedule.window",
    ),
    "a policy with an unknown key": (of_another_policy(events={"x": True}), "invalid_policy", "events.x"),
    "gone": (lambda m: m.publisher.path("tree").unlink(), "unreachable", "lacks"),
    "an error": (lambda m: m.server.always(Answer(500)), "unreachable", "answered 500"),
    "a transfer that breaks off": (lambda m: m.server.always(Answer(200, bytes(1000), {}, 10)), "unreachable", "tree"),
    "redirected to a file": (lambda m: redirected(m, "file:///etc/passwd"), "unreachable", "answered 302"),
    "redirected for ever": (lambda m: redirected(m, "/configuration/tree.json"), "unreachable", "answered 302"),
    "nobody there": (lambda m: m.server.stop(), "unreachable", "Connection refused"),
}


@pytest.mark.parametrize("way", TAMPERED)
def test_refused_with_its_own_result_and_nothing_is_lost(managed: Managed, way: str) -> None:
    for kind in ("tree", "shard"):
        getattr(managed.publisher, kind)(serial=5)
    assert managed.sync().result.value == "adopted"
    before, policy = adopted_files(managed), managed.status()["policy"]
    tamper, result, why = TAMPERED[way]
    managed.publisher.root = {"schedule": {"start": "03:00"}} if "start" not in way else managed.publisher.root
    tamper(managed)
    report = managed.sync()
    assert (report.result.value, why in report.why) == (result, True), report
    assert adopted_files(managed) == before
    status = managed.status()
    assert (status["policy"], status["serial"]) == (policy, 5)
    told = status["configuration"]
    assert (told["result"], told["reason"], told["tree_serial"]) == (result, report.why, 5)
    assert f"configuration: {result}" in journal(managed)


def test_tampering_does_not_outlive_itself(managed: Managed) -> None:
    edit(managed, "tree", b'"start":"02:00"', b'"start":"03:00"')
    assert managed.sync().result.value == "bad_signature"
    managed.publisher.root = {"schedule": {"start": "04:00"}}
    managed.publisher.tree()
    assert managed.sync().result.value == "adopted"
    assert managed.status()["policy"]["schedule"]["start"] == "04:00"


def test_a_redirect_to_the_same_content_is_followed(managed: Managed) -> None:
    """What is signed may come from wherever it likes."""
    managed.publisher.publish()
    elsewhere = Path(managed.server.folder) / "elsewhere"
    (managed.publisher.folder / "configuration").rename(elsewhere)
    there = f"{managed.server.url}/elsewhere"
    managed.server.script = lambda path, headers: (
        Answer(302, b"", {"Location": path.replace("/configuration", there)}) if path.startswith("/conf") else None
    )
    assert managed.sync().result.value == "adopted"


def test_a_server_that_stands_still_is_noticed(managed: Managed) -> None:
    """Its files have not changed, and still they have ended."""
    managed.sandbox.host.clock += 366 * 86400
    report = managed.sync()
    assert (report.result.value, report.why.startswith("tree: it ended at 2027-11-22")) == ("expired", True)
    assert managed.status()["configuration"]["tree_serial"] == 1


class WithoutKeygen(LocalHost):
    """A host that lacks OpenSSH's client programs."""

    def run(self, argv: Sequence[str], **options: Any) -> Completed:
        return super().run(["/nonexistent/ssh-keygen", *argv[1:]], **options)


def test_without_ssh_keygen_this_host_is_at_fault(managed: Managed) -> None:
    managed.publisher.publish()
    report = synchronize(Endpoint.load(WithoutKeygen(str(managed.sandbox.root))))
    assert (report.result.value, "ssh-keygen" in report.why) == ("failed", True)


def adopted_files(managed: Managed) -> dict[str, bytes]:
    folder = managed.sandbox.root / store.DIRECTORY[1:]
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "asked.json"}


def journal(managed: Managed) -> str:
    return (managed.sandbox.root / "var/log/epp-agent.log").read_text()


def test_the_record_names_its_files(managed: Managed) -> None:
    record = json.loads((managed.sandbox.root / store.RECORD[1:]).read_text())
    (adopted,) = record["adopted"]
    names = {f"tree-{adopted['tree']['sha256']}.sealed", f"shard-{adopted['shard']['sha256']}.sealed", "adopted.json"}
    assert set(adopted_files(managed)) == names
    assert paths.ADOPTED_DIRECTORY == store.DIRECTORY
