# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adopting a configuration: conditional requests, keys that follow each other, power loss, what follows (C1-C3)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.shard import Membership
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge import enroll
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.remove import remove
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.trust import store
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import Answer

from .conftest import Managed

UNCHANGED = [("tree", 304), ("shard", 304)]


def test_an_unchanged_configuration_costs_one_conditional_request_each(managed: Managed) -> None:
    """S2."""
    for _time in range(3):
        assert managed.sync().result.value == "unchanged"
        assert managed.asked() == UNCHANGED


def test_only_what_changed_is_fetched(managed: Managed) -> None:
    """C1: a change costs the server one tree or one shard."""
    managed.publisher.endpoints["n1"] = Membership("emea", 9)
    managed.publisher.shard()
    assert managed.sync().result.value == "adopted"
    assert managed.asked() == [("tree", 304), ("shard", 200)]
    status = managed.status()
    assert (status["domain"], status["ordinal"], status["serial"]) == ("emea", 9, 1)
    managed.publisher.tree()
    assert managed.sync().result.value == "adopted"
    assert managed.asked() == [("tree", 200), ("shard", 304)]


def test_two_versions_of_one_second_are_told_apart(managed: Managed) -> None:
    """A web server says the same of both: what is that young is asked for without a condition."""
    managed.publisher.publish()
    young = {
        "ETag": '"same"',
        "Last-Modified": "Sun, 22 Nov 2026 12:00:00 GMT",
        "Date": "Sun, 22 Nov 2026 12:00:00 GMT",
    }
    managed.server.script = lambda path, headers: Answer(
        304 if headers.get("If-None-Match") == '"same"' else 200,
        (managed.publisher.folder / path[1:]).read_bytes(),
        young,
    )
    assert managed.sync().result.value == "adopted"
    managed.publisher.publish()
    assert managed.sync().result.value == "adopted"
    assert managed.status()["serial"] == 3


def test_the_same_again_without_a_condition_is_unchanged(managed: Managed) -> None:
    (managed.sandbox.root / store.DIRECTORY[1:] / "asked.json").unlink()
    assert managed.sync().result.value == "unchanged"
    assert managed.asked() == [("tree", 200), ("shard", 200)]
    assert managed.sync().result.value == "unchanged"
    assert managed.asked() == UNCHANGED


def test_signed_again_it_is_the_same_document(managed: Managed) -> None:
    managed.publisher.signers = ("a", "b")
    managed.publisher.tree()
    assert managed.sync().result.value == "adopted"
    managed.publisher.tree(serial=2, key="b")
    assert managed.sync().result.value == "adopted"
    assert managed.status()["serial"] == 2


def test_inheritance_reaches_the_endpoint(managed: Managed) -> None:
    """P2: endpoint > nearest domain > ... > root, key by key."""
    managed.publisher.root = {"schedule": {"start": "01:00", "window": "3h"}, "privileges": {"go_roaming": True}}
    managed.publisher.domains = {"emea": {"schedule": {"start": "04:00"}}, "apac": {"schedule": {"start": "09:00"}}}
    managed.publisher.endpoints["n1"] = Membership("emea/finance", 3, {"privileges": {"update_now": False}})
    managed.publisher.publish()
    managed.sync()
    policy = managed.status()["policy"]
    assert (policy["schedule"]["start"], policy["schedule"]["window"]) == ("04:00", "3h")
    assert (policy["privileges"]["go_roaming"], policy["privileges"]["update_now"]) == (True, False)


def test_components_come_from_the_server_unless_policy_says_otherwise(managed: Managed) -> None:
    assert managed.status()["policy"]["sources"]["urls"] == [f"{managed.server.url}/components/command"]
    managed.publisher.root = {"sources": {"urls": ["http://cdn.example"]}}
    managed.publisher.tree()
    managed.sync()
    assert managed.status()["policy"]["sources"]["urls"] == ["http://cdn.example"]


def test_a_key_is_followed_by_the_next_one_with_overlap(managed: Managed) -> None:
    publisher = managed.publisher
    publisher.signers = ("a", "b")
    publisher.publish()
    assert managed.sync().result.value == "adopted"
    publisher.sign_with, publisher.signers = "b", ("b",)
    publisher.publish()
    assert managed.sync().result.value == "adopted"
    publisher.sign_with = "a"
    publisher.publish()
    assert managed.sync().result.value == "unknown_key"
    assert managed.status()["serial"] == 3


def test_a_shard_that_did_not_change_has_to_be_signed_anew_when_its_key_goes(managed: Managed) -> None:
    """Its 304 is the web server's word alone."""
    publisher = managed.publisher
    publisher.signers = ("a", "b")
    publisher.tree()
    managed.sync()
    publisher.sign_with, publisher.signers = "b", ("b",)
    publisher.tree()
    assert managed.sync().result.value == "unknown_key"
    publisher.shard()
    assert managed.sync().result.value == "adopted"


def test_other_first_keys_are_a_new_beginning(managed: Managed) -> None:
    """As after a server that was lost with its keys: serials begin again."""
    publisher = managed.publisher
    publisher.sign_with, publisher.signers = "b", ("b",)
    publisher.tree(serial=1, root={"schedule": {"start": "06:00"}})
    publisher.shard(serial=1)
    managed.section["url"] = managed.server.url.replace("127.0.0.1", "localhost")
    with pytest.raises(enroll.NotConfigured, match="unknown_key"):
        managed.converge()  # with the same keys it trusts whom it trusted
    managed.section.update(url=managed.server.url, signers=[publisher.public["b"]])
    done = managed.converge()
    assert done.corrections == (f"the configuration is adopted: tree 1, shard 1, from {managed.server.url}",)
    assert managed.status()["policy"]["schedule"]["start"] == "06:00"


def test_another_address_keeps_what_was_learnt(managed: Managed) -> None:
    managed.publisher.signers = ("a", "b")
    managed.publisher.publish()
    managed.sync()
    managed.section["url"] = managed.server.url.replace("127.0.0.1", "localhost")
    managed.publisher.tree(serial=1)
    with pytest.raises(enroll.NotConfigured, match="rollback"):
        managed.converge()
    assert managed.status()["configuration"]["server"] == managed.server.url
    managed.publisher.tree(serial=3, key="b")
    assert managed.converge().changed
    assert managed.status()["configuration"]["server"] == managed.section["url"]


class PowerLoss(BaseException):
    """Everything ends here."""


def crash_at(managed: Managed, monkeypatch: pytest.MonkeyPatch, number: int) -> list[str]:
    """Let the power fail before the write of this number; returns the paths of the writes."""
    host, written = managed.sandbox.host, []
    write = type(host).write

    def failing(self: Any, path: str, content: bytes, **options: Any) -> None:
        if len(written) == number:
            raise PowerLoss
        written.append(path)
        write(self, path, content, **options)

    monkeypatch.setattr(type(host), "write", failing)
    return written


@pytest.mark.parametrize("moment", range(9))
def test_power_loss_leaves_the_old_pair_or_the_new_one(
    managed: Managed, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    """C3."""
    managed.publisher.root = {"schedule": {"start": "05:00"}}
    managed.publisher.endpoints["n1"] = Membership("emea", 12)
    managed.publisher.publish()
    with monkeypatch.context() as patched:
        crash_at(managed, patched, moment)
        try:
            managed.sync()
        except PowerLoss:
            pass
    status = managed.status()
    found = (status["serial"], status["configuration"]["shard_serial"], status["policy"]["schedule"]["start"])
    assert (*found, status["ordinal"]) in ((1, 1, "02:00", 7), (2, 2, "05:00", 12))
    assert managed.sync().result.value in ("adopted", "unchanged")
    assert managed.status()["serial"] == 2
    names = {path.name[:5] for path in (managed.sandbox.root / store.DIRECTORY[1:]).iterdir()}
    assert names == {"adopt", "asked", "tree-", "shard"}


@pytest.mark.parametrize("moment", range(12))
def test_power_loss_amid_another_enrollment(managed: Managed, monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    """Whichever document is left has the configuration that belongs to it."""
    managed.publisher.tree(root={"schedule": {"start": "05:00"}})
    old, new = managed.server.url, managed.server.url.replace("127.0.0.1", "localhost")
    managed.section["url"] = new
    with monkeypatch.context() as patched:
        crash_at(managed, patched, moment)
        try:
            managed.converge()
        except PowerLoss:
            pass
    told = managed.status()
    found = (told["configuration"]["server"], told["serial"], told["policy"]["schedule"]["start"])
    assert found in ((old, 1, "02:00"), (new, 2, "05:00"))
    managed.converge()
    assert managed.status()["configuration"]["server"] == new
    managed.publisher.publish()
    managed.sync()
    assert len(json.loads((managed.sandbox.root / store.RECORD[1:]).read_text())["adopted"]) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"adopted":[{}]}', b'{"adopted":[{"basis":1}]}'])
def test_a_damaged_record_is_adopted_anew(managed: Managed, content: bytes) -> None:
    """Until then the endpoint does what nobody has told it: nothing by schedule."""
    (managed.sandbox.root / store.RECORD[1:]).write_bytes(content)
    status = managed.status()
    assert (status["configuration"]["adopted"], status["scheduled_update"], status["next_run"]) == (None, False, None)
    assert managed.sync().result.value == "adopted"
    assert managed.status()["scheduled_update"]


def test_damaged_files_are_fetched_anew(managed: Managed) -> None:
    for path in (managed.sandbox.root / store.DIRECTORY[1:]).glob("*.sealed"):
        path.write_bytes(b"x")
    assert managed.sync().result.value == "adopted"
    assert managed.asked() == [("tree", 200), ("shard", 200)]
    assert managed.sync().result.value == "unchanged"


def test_a_policy_that_only_another_agent_understands_counts_as_none(managed: Managed) -> None:
    path = managed.sandbox.root / store.RECORD[1:]
    record = json.loads(path.read_text())
    record["adopted"][0]["policy"]["schedule"]["spread"] = "by color"
    path.write_text(json.dumps(record))
    assert managed.status()["configuration"]["adopted"] is None
    assert managed.sync().result.value == "adopted"
    assert managed.status()["configuration"]["adopted"]


def test_reconnect_updates_that_are_new_have_not_missed_this_boot(managed: Managed) -> None:
    """E2: else a change of one key at the root would make a whole fleet update at once."""
    managed.publisher.root = {"events": {"update_on_reconnect": False}}
    managed.publisher.publish()
    managed.sync()
    managed.sandbox.host.write("/proc/sys/kernel/random/boot_id", b"second\n")
    managed.publisher.root = {}
    managed.publisher.publish()
    managed.sync()
    assert managed.sandbox.endpoint.store.read().boot_id == "second"
    assert managed.sandbox.runner().run(Trigger.RECONNECT).result.value == "skipped"


def test_the_timers_follow_the_policy(managed: Managed) -> None:
    timer = managed.sandbox.root / "etc/systemd/system/epp-update.timer"
    managed.publisher.root = {"privileges": {"scheduled_update": False}}
    managed.publisher.tree()
    assert managed.sandbox.runner().run(Trigger.MANUAL).result.value == "updated"
    assert not timer.exists()
    managed.publisher.root = {}
    managed.publisher.tree()
    managed.sandbox.runner().run(Trigger.MANUAL)
    assert "OnCalendar=*-*-* 12:" in timer.read_text()


def test_what_was_not_carried_out_is_carried_out_by_the_next_run(managed: Managed) -> None:
    timer = managed.sandbox.root / "etc/systemd/system/epp-update.timer"
    managed.publisher.root = {"schedule": {"start": "05:00"}}
    managed.publisher.tree()
    managed.sync()
    assert "05:" not in timer.read_text()
    managed.sandbox.runner().run(Trigger.MANUAL)
    assert "OnCalendar=*-*-* 05:" in timer.read_text()
    assert not managed.converge().changed


def test_leaving_the_server_leaves_nothing(managed: Managed) -> None:
    document = managed.sandbox.document()
    assert managed.sandbox.converge().changed
    assert not (managed.sandbox.root / store.DIRECTORY[1:]).exists()
    assert not (managed.sandbox.root / "etc/systemd/system/epp-sync.timer").exists()
    assert managed.status()["configuration"] is None
    assert json.loads((managed.sandbox.root / paths.DOCUMENT[1:]).read_text())["ordinal"] == document["ordinal"]
    assert not managed.sandbox.converge().changed


def test_absent_removes_every_trace(managed: Managed) -> None:
    managed.sync()
    remove(managed.sandbox.host, check=False)
    left = [path for path in managed.sandbox.root.rglob("*") if not path.is_dir() and "/log/" not in str(path)]
    assert left == []


def test_metrics_and_text_tell_of_it(managed: Managed, agent: Path) -> None:
    """R2."""
    collector = managed.sandbox.root / "var/lib/prometheus/node-exporter"
    collector.mkdir(parents=True)
    managed.sync()
    text = (collector / paths.TEXTFILE_NAME).read_text()
    assert 'epp_autoupdate_configuration_serial{document="tree"} 1\n' in text
    assert 'epp_autoupdate_configuration_result{result="unchanged"} 1\n' in text
    assert "epp_autoupdate_configuration_expires_timestamp_seconds 1826884800\n" in text
    command = [str(agent), "--root", str(managed.sandbox.root), "status"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"configuration     tree 1, shard 1 from {managed.server.url}, adopted 2026-11-22T12:00:00Z" in shown
    assert "last asked for    unchanged at 2026-11-22T12:00:00Z" in shown
