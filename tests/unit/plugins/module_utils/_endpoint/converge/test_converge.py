# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Converging: check mode tells the truth, the second run is quiet, edits are mended, nothing stays behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.exposition import exposition
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.remove import remove
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.status.metrics import metrics
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.status.status import save_and_publish

from ..conftest import Sandbox

GRANTED = {"privileges": {"toggle_scheduled_update": True, "go_roaming": True}}


@pytest.mark.parametrize("scheduler", ["systemd", "cron"])
def test_check_then_real_then_quiet(sandbox: Sandbox, scheduler: str) -> None:
    changes = {"scheduler": scheduler, "policy": GRANTED}
    before = sandbox.tree()
    foretold = sandbox.converge(check=True, **changes)
    assert sandbox.tree() == before
    done = sandbox.converge(**changes)
    assert foretold.to_result() == done.to_result()
    assert done.changed
    written = sandbox.tree()
    for quiet in (sandbox.converge(check=True, **changes), sandbox.converge(**changes)):
        assert quiet.to_result() == {
            "changed": False,
            "changes": [],
            "drift": [],
            "diff": [],
            "next_run": "2026-11-23T12:00:00Z",
            "host_key": None,
            "refusal": None,
            "missing": [],
            "errors": [],
            "obstacles": [],
            "other_updaters": [],
            "adoption": [],
        }
    assert sandbox.tree() == written


def test_command_lines_are_in_no_diff(sandbox: Sandbox) -> None:
    """They may hold secrets; a policy without them is shown."""
    assert str(sandbox.installed) not in str(sandbox.converge().to_result())
    assert sandbox.converge(limits={"update": "20m"}).to_result()["diff"][0]["after"].startswith("(hidden: ")
    files = {"product": "files", "policy": {"sources": {"urls": ["http://127.0.0.1:1"]}}}
    assert str(sandbox.installed) not in str(sandbox.converge(**files).to_result())
    assert '"http://127.0.0.1:1"' in str(sandbox.converge(**files, limits={"update": "40m"}).to_result())


def test_metrics_do_not_stay_in_a_former_directory(sandbox: Sandbox) -> None:
    for name in ("a", "b"):
        (sandbox.root / "metrics" / name).mkdir(parents=True)
    sandbox.converge(textfile_directory="/metrics/a")
    assert (sandbox.root / "metrics/a" / paths.TEXTFILE_NAME).exists()
    sandbox.converge(textfile_directory="/metrics/b")
    assert not (sandbox.root / "metrics/a" / paths.TEXTFILE_NAME).exists()
    assert (sandbox.root / "metrics/b" / paths.TEXTFILE_NAME).exists()
    assert not sandbox.converge(textfile_directory="/metrics/b").changed
    remove(sandbox.host, check=False)
    assert not (sandbox.root / "metrics/b" / paths.TEXTFILE_NAME).exists()


def test_check_mode_writes_nothing_beside_a_damaged_state_either(sandbox: Sandbox) -> None:
    sandbox.converge()
    sandbox.host.write(paths.STATE, b"{", mode=0o600)
    before = sandbox.tree()
    sandbox.converge(check=True)
    sandbox.converge()
    assert sandbox.tree() == before


def test_a_run_that_outlives_the_enrollment_leaves_nothing_behind(sandbox: Sandbox) -> None:
    before = files(sandbox)
    sandbox.converge()
    runner = sandbox.runner()
    remove(sandbox.host, check=False)
    runner.run(sandbox_trigger())
    left = {path for path in files(sandbox) - before if not path.startswith(("run/", "var/log/"))}
    assert not left


def test_every_path_of_the_diff_was_really_written(sandbox: Sandbox) -> None:
    done = sandbox.converge(policy=GRANTED)
    for change in done.to_result()["changes"]:
        assert (sandbox.root / change["path"][1:]).exists() or (sandbox.root / change["path"][1:]).is_symlink()


@pytest.mark.parametrize("scheduler", ["systemd", "cron"])
@pytest.mark.parametrize(
    "damage",
    [
        "content",
        "mode",
        "removed",
        *(pytest.param(f"replaced by a {one}", marks=pytest.mark.heavy) for one in ("directory", "link")),
    ],
)
def test_every_edit_is_found_and_mended(sandbox: Sandbox, scheduler: str, damage: str) -> None:
    changes = {"scheduler": scheduler, "policy": GRANTED}
    sandbox.converge(**changes)
    whole = sandbox.tree()
    own = [path for path in managed(sandbox) if damage != "mode" or not path.is_symlink()]
    assert len(own) >= 4
    for path in own:
        spoil(path, damage)
    foretold = sandbox.converge(check=True, **changes)
    mended = sandbox.converge(**changes)
    assert {change["path"] for change in mended.to_result()["changes"]} == {
        f"/{path.relative_to(sandbox.root)}" for path in own
    }
    assert foretold.to_result() == mended.to_result()
    assert sandbox.tree() == whole
    assert not sandbox.converge(**changes).changed


def test_switching_the_scheduler_leaves_nothing_behind(sandbox: Sandbox) -> None:
    sandbox.converge(scheduler="cron", policy=GRANTED)
    fresh = only_configuration(sandbox)
    sandbox.converge(scheduler="systemd", policy=GRANTED)
    assert sandbox.converge(scheduler="cron", policy=GRANTED).changed
    assert only_configuration(sandbox) == fresh


def test_a_revoked_privilege_takes_its_right_along(sandbox: Sandbox) -> None:
    sandbox.converge(policy=GRANTED)
    rights = sandbox.root / "etc/sudoers.d/epp-autoupdate"
    assert "schedule disable" in rights.read_text()
    sandbox.converge(policy={"privileges": {"update_now": False}})
    assert not rights.exists()


def test_a_converge_keeps_the_users_switch(sandbox: Sandbox) -> None:
    """P1: it is never overwritten; without option 1 it is only ignored."""
    sandbox.converge(policy=GRANTED)
    save_and_publish(sandbox.endpoint, lambda state: replace(state, switch=False))
    assert sandbox.converge(policy=GRANTED).next_run is None
    assert sandbox.converge(policy={}).next_run is not None
    assert sandbox.endpoint.store.read().switch is False
    assert sandbox.converge(policy=GRANTED).next_run is None


def test_a_run_that_began_before_a_converge_tells_what_is_in_force_after_it(sandbox: Sandbox) -> None:
    """R2, P3: whoever reads the status would otherwise be denied what policy grants."""
    sandbox.converge(policy={})
    began_before = sandbox.endpoint
    sandbox.converge(policy=GRANTED)
    save_and_publish(began_before, lambda state: replace(state, source_lost=True))
    status = json.loads((sandbox.root / paths.STATUS.lstrip("/")).read_bytes())
    granted = status["policy"]["privileges"]
    assert (granted["toggle_scheduled_update"], granted["go_roaming"]) == (True, True)


@pytest.mark.parametrize("scheduler", ["systemd", "cron"])
def test_absent_removes_every_trace(sandbox: Sandbox, scheduler: str) -> None:
    (sandbox.root / "var/lib/prometheus/node-exporter").mkdir(parents=True)
    before = files(sandbox)
    sandbox.converge(scheduler=scheduler, policy=GRANTED)
    sandbox.runner().run(sandbox_trigger())
    assert files(sandbox) != before
    written = sandbox.tree()
    foretold = remove(sandbox.host, check=True)
    assert sandbox.tree() == written
    assert remove(sandbox.host, check=False).to_result() == foretold.to_result()
    assert files(sandbox) == before
    assert not remove(sandbox.host, check=False).changed


def test_a_damaged_document_is_replaced(sandbox: Sandbox) -> None:
    sandbox.converge()
    sandbox.host.write(paths.DOCUMENT, b"{", mode=0o600)
    assert sandbox.converge().changed
    assert not sandbox.converge().changed


def test_without_scheduled_updates_there_is_no_timer(sandbox: Sandbox) -> None:
    sandbox.converge(policy={"privileges": {"scheduled_update": False}})
    assert not (sandbox.root / "etc/systemd/system/epp-update.timer").exists()
    sandbox.converge(policy={})
    assert (sandbox.root / "etc/systemd/system/epp-update.timer").exists()


def test_the_textfile_is_written_where_its_directory_exists(sandbox: Sandbox) -> None:
    """R2."""
    collector = sandbox.root / "var/lib/prometheus/node-exporter"
    sandbox.converge()
    assert not collector.exists()
    collector.mkdir(parents=True)
    sandbox.runner().run(sandbox_trigger())
    text = (collector / paths.TEXTFILE_NAME).read_text()
    assert 'epp_autoupdate_last_run_result{product="command",trigger="manual",result="updated"} 1\n' in text
    assert 'epp_autoupdate_component_info{product="command",component="command",version="1"} 1\n' in text


def test_metric_labels_are_escaped(sandbox: Sandbox) -> None:
    sandbox.converge()
    sandbox.upstream.write_text('7 "b" \\ c')
    sandbox.runner().run(sandbox_trigger())
    from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.status.status import compose

    lines = exposition(metrics(compose(sandbox.endpoint, sandbox.endpoint.store.read()))).splitlines()
    assert 'epp_autoupdate_component_info{product="command",component="command",version="7 \\"b\\" \\\\ c"} 1' in lines


def managed(sandbox: Sandbox) -> list[Path]:
    """The files and links that a converge puts in place (state and status change by themselves)."""
    own = {paths.STATE, paths.STATUS}
    found = [path for path in sandbox.root.rglob("*") if path.is_symlink() or path.is_file()]
    return [
        path
        for path in found
        if f"/{path.relative_to(sandbox.root)}" not in own and not path.is_relative_to(sandbox.root / "run")
    ]


def spoil(path: Path, damage: str) -> None:
    mode = path.stat().st_mode if path.exists() else 0o644
    if damage == "mode":
        path.chmod(0o606)
        return
    path.unlink()
    if damage == "content":
        path.write_text("# edited by hand\n")
        path.chmod(mode)
    elif damage == "replaced by a directory":
        path.mkdir()
        (path / "x").touch()
    elif damage == "replaced by a link":
        path.symlink_to("/dev/null")


def only_configuration(sandbox: Sandbox) -> dict[str, Any]:
    """What lies in the schedulers' places; an emptied directory of systemd's own is no trace of ours."""
    tree = {path: kept for path, kept in sandbox.tree().items() if not (sandbox.root / path).is_dir()}
    return {path: kept for path, kept in tree.items() if path.startswith(("etc/cron", "etc/systemd/system/"))}


def files(sandbox: Sandbox) -> set[str]:
    return {str(path.relative_to(sandbox.root)) for path in sandbox.root.rglob("*") if not path.is_dir()}


def sandbox_trigger() -> Any:
    from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger

    return Trigger.MANUAL


def test_the_host_key_is_the_best_that_the_host_has(sandbox: Sandbox) -> None:
    """Of whatever kind: a hardened host, or one in FIPS mode, has no ed25519 key."""
    keys = sandbox.root / "etc/ssh"
    keys.mkdir(parents=True)
    known = {"rsa": "ssh-rsa", "ecdsa": "ecdsa-sha2-nistp256", "ed25519": "ssh-ed25519"}
    for kind, name in known.items():
        (keys / f"ssh_host_{kind}_key.pub").write_text(f"{name} {68 * 'A'} root@here\n")
        assert sandbox.converge(check=True).host_key == f"{name} {68 * 'A'}"
