# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Converging a server in a directory that stands for a host: by its own program, which makes keys and publishes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.server import ServerSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge import converge as endpoint
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.remove import remove as remove_endpoint
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.lock import exclusively
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths, payload
from ansible_collections.epp.autoupdate.plugins.module_utils._server.converge.converge import (
    Converged,
    converge,
    remove,
)

PROGRAM = payload.build(payload.sources(), interpreter=sys.executable)
SCHEDULERS = pytest.mark.parametrize("scheduler", ["systemd", "cron"])


@dataclass
class Sandbox:
    """A directory that stands for a server; what it publishes lies below ``/srv``, and belongs to no converge."""

    root: Path

    @property
    def host(self) -> LocalHost:
        return LocalHost(str(self.root), program="epp-server")

    def settings(self, **changes: Any) -> dict[str, Any]:
        components = {"files": {"directory": "/srv/components"}}
        base = {"format": 1, "web": {"url": "http://updates.example.com"}, "components": components}
        return {**base, "notify": {"notifier": "local"}, "scheduler": "systemd", **changes}

    def converge(self, *, check: bool = False, **changes: Any) -> Converged:
        settings = ServerSettings.from_dict(self.settings(**changes))
        return converge(settings, self.host, program=PROGRAM, check=check)

    def run(self, *words: str, given: Any = None) -> subprocess.CompletedProcess[str]:
        """Run the program that was installed."""
        argv = [str(self.root) + paths.SERVER, "--root", str(self.root), *words]
        return subprocess.run(argv, input=json.dumps(given), capture_output=True, text=True, check=False)

    def tree(self) -> dict[str, tuple[int, bytes]]:
        """Every file and link, with mode and content."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            content = str(path.readlink()).encode() if path.is_symlink() else b""
            name = str(path.relative_to(self.root))
            if path.is_file() and not path.is_symlink():
                content = path.read_bytes()
            if not name.startswith(("run", "srv")):
                found[name] = (path.lstat().st_mode, content)
        return found

    def files(self) -> set[str]:
        return {name for name in self.tree() if (self.root / name).is_symlink() or (self.root / name).is_file()}


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    (tmp_path / "srv/components/patterns").mkdir(parents=True)
    (tmp_path / "srv/components/patterns/a.dat").write_text("one")
    return Sandbox(tmp_path)


@SCHEDULERS
def test_check_then_real_then_quiet(sandbox: Sandbox, scheduler: str) -> None:
    foretold = sandbox.converge(check=True, scheduler=scheduler)
    assert sandbox.tree() == {}
    done = sandbox.converge(scheduler=scheduler)
    assert foretold.changed
    assert (foretold.changes, foretold.corrections) == (done.changes, done.corrections)
    assert (foretold.enrollment is None, done.enrollment is None) == (True, False)
    written = sandbox.tree()
    for quiet in (sandbox.converge(check=True, scheduler=scheduler), sandbox.converge(scheduler=scheduler)):
        result = quiet.to_result()
        assert (result["changed"], result["changes"], result["drift"], result["diff"]) == (False, [], [], [])
        assert result["enrollment"] == done.enrollment
    assert sandbox.tree() == written


def test_keys_are_made_and_what_is_published_is_whole(sandbox: Sandbox) -> None:
    enrollment = sandbox.converge().enrollment
    assert enrollment is not None
    assert enrollment["url"] == "http://updates.example.com"
    assert [key.split()[0] for key in (*enrollment["signers"], enrollment["notify_key"])] == ["ssh-ed25519"] * 2
    assert json.loads(sandbox.run("enrollment").stdout) == enrollment
    assert sandbox.run("verify").returncode == 0
    fetched = sandbox.run("fetch")
    assert (fetched.returncode, fetched.stderr) == (0, "")
    assert (sandbox.root / "var/lib/epp-autoupdate-public/components/files/manifest.json").exists()


def test_metrics_are_linked_to_where_a_collector_reads_them(sandbox: Sandbox) -> None:
    collectors = [sandbox.root / name for name in ("var/lib/prometheus/node-exporter", "srv/textfiles")]
    own, link = sandbox.root / paths.METRICS.lstrip("/"), paths.METRICS_NAME
    sandbox.converge()
    assert not own.exists()
    for collector in collectors:
        collector.mkdir(parents=True)
    assert sandbox.converge().changed
    assert str((collectors[0] / link).readlink()) == paths.METRICS_FILE
    assert sandbox.run("metrics", "--write").returncode == 0
    assert "\nepp_autoupdate_server_info{" in (own / link).read_text()
    assert not sandbox.converge().changed
    elsewhere = {"metrics": {"textfile_directory": "/srv/textfiles"}}
    assert sandbox.converge(**elsewhere).changed
    assert [(collector / link).is_symlink() for collector in collectors] == [False, True]
    assert not sandbox.converge(**elsewhere).changed
    collectors[1].rename(sandbox.root / "srv/gone")
    assert sandbox.converge(**elsewhere).changed
    assert not own.exists()
    (sandbox.root / "srv/gone").rename(collectors[1])
    (collectors[1] / link).unlink()
    sandbox.converge(**elsewhere)
    assert remove(sandbox.host, check=False).changed
    assert ([path.is_symlink() for path in (collectors[1] / link, own)], own.exists()) == ([False, False], False)


def test_no_private_key_is_in_any_result(sandbox: Sandbox) -> None:
    told = [sandbox.converge().to_result()]
    private = [path for path in (sandbox.root / "var/lib/epp-autoupdate-server/keys").iterdir() if not path.suffix]
    secrets = [line for path in private for line in path.read_text().splitlines() if "KEY" not in line]
    assert secrets
    told += [remove(sandbox.host, check=check).to_result() for check in (True, False)]
    assert not any(secret in json.dumps(told) for secret in secrets)


def test_settings_are_shown_unless_they_may_hold_a_secret(sandbox: Sandbox) -> None:
    sandbox.converge()
    shown = sandbox.converge(fetch={"every": "15m"}).to_result()["diff"]
    assert any('"every": "15m"' in part.get("after", "") for part in shown)
    command = {"command": {"fetch": ["/bin/fetch", "--token=hunter2", "{directory}"]}}
    for changes in ({"components": command}, {}, {"components": {"files": {"url": "http://a/x.zip?token=hunter2"}}}):
        told = sandbox.converge(**changes).to_result()
        assert told["changed"]
        assert "hunter2" not in json.dumps(told)
    assert "hunter2" not in json.dumps(remove(sandbox.host, check=False).to_result())


def spoil(path: Path, damage: str) -> None:
    if damage == "mode":
        path.chmod(0o606)
        return
    path.unlink()
    if damage == "content":
        path.write_text("# edited by hand\n")
    elif damage == "replaced by a directory":
        path.mkdir()
        (path / "x").touch()
    elif damage == "replaced by a link":
        path.symlink_to("/dev/null")


@pytest.fixture
def converged(sandbox: Sandbox, scheduler: str, once: Callable[..., None]) -> Sandbox:
    """A server that was converged for this scheduler."""
    once(sandbox.root, lambda: sandbox.converge(scheduler=scheduler), scheduler)
    return sandbox


@SCHEDULERS
@pytest.mark.parametrize(
    "damage",
    [
        "content",
        "removed",
        *(
            pytest.param(one, marks=pytest.mark.heavy)
            for one in ("mode", "replaced by a directory", "replaced by a link")
        ),
    ],
)
def test_every_edit_is_found_and_mended(converged: Sandbox, scheduler: str, damage: str) -> None:
    sandbox = converged
    whole = {path: kept for path, kept in sandbox.tree().items() if path.startswith(("etc/", "usr/"))}
    own = [sandbox.root / path for path in whole if not (sandbox.root / path).is_dir()]
    own = [path for path in own if damage != "mode" or not path.is_symlink()]
    assert len(own) >= 3
    for path in own:
        spoil(path, damage)
    foretold = sandbox.converge(check=True, scheduler=scheduler)
    mended = sandbox.converge(scheduler=scheduler)
    assert {change.path for change in mended.changes} == {f"/{path.relative_to(sandbox.root)}" for path in own}
    assert foretold.changes == mended.changes
    assert {path: kept for path, kept in sandbox.tree().items() if path.startswith(("etc/", "usr/"))} == whole
    assert not sandbox.converge(scheduler=scheduler).changed


def test_what_lies_in_its_directories_is_the_servers_own(sandbox: Sandbox) -> None:
    """Two directories are held to their modes; what was published stays through it."""
    sandbox.converge()
    for path in (paths.STATE_DIRECTORY, paths.PUBLIC):
        (sandbox.root / path[1:]).chmod(0o777)
    assert {change.path for change in sandbox.converge().changes} == {paths.STATE_DIRECTORY, paths.PUBLIC}
    assert (sandbox.root / paths.TREE[1:]).exists()


def test_private_keys_that_others_may_read_are_told_and_shut_before_anything_is_signed(sandbox: Sandbox) -> None:
    """ssh-keygen signs with no key that has such a mode. Public keys may have any."""
    sandbox.converge()
    keys = sandbox.root / paths.KEYS[1:]
    before = {path.name: path.read_bytes() for path in keys.iterdir()}
    modes = {"": 0o755, "signing-1": 0o644, "signing.json": 0o640}
    for name, mode in modes.items():
        (keys / name).chmod(mode)
    (keys / "signing-1.pub").chmod(0o600)
    changes = {"configuration": {"lifetime": "3d"}}  # all is signed anew
    foretold = sandbox.converge(check=True, **changes).to_result()
    assert (keys / "signing-1").stat().st_mode & 0o777 == 0o644
    told = [one for one in foretold["diff"] if one["before"] == one["after"]]
    assert {(one["before_header"], one["after_header"]) for one in told} == {
        (f"{path} (mode {mode:04o})", f"{path} (mode {wanted})")
        for path, mode, wanted in (
            (paths.KEYS, 0o755, "0700"),
            (f"{paths.KEYS}/signing-1", 0o644, "0600"),
            (paths.KEYRING, 0o640, "0600"),
        )
    }
    assert sandbox.converge(**changes).to_result() == foretold
    assert {path.name: path.read_bytes() for path in keys.iterdir()} == before
    after = {name: (keys / name).stat().st_mode & 0o777 for name in modes}
    assert after == {"": 0o700, "signing-1": 0o600, "signing.json": 0o600}
    assert not sandbox.converge(**changes).changed


def test_a_lost_publication_is_made_again(sandbox: Sandbox) -> None:
    before = sandbox.converge().enrollment
    (sandbox.root / paths.TREE[1:]).unlink()
    again = sandbox.converge()
    assert (again.changes, len(again.corrections), again.enrollment) == ((), 1, before)
    assert not sandbox.converge().changed


def test_other_schedulers_and_other_products_leave_nothing_behind(sandbox: Sandbox) -> None:
    sandbox.converge(scheduler="cron")
    sandbox.converge(scheduler="systemd")
    assert not (sandbox.root / "etc/cron.d/epp-autoupdate-server").exists()
    timer = sandbox.root / "etc/systemd/system/epp-server-fetch.timer"
    assert timer.exists()
    sandbox.converge(components={})
    assert not timer.exists()
    sandbox.converge(scheduler="cron")
    assert not list((sandbox.root / "etc/systemd").rglob("epp-*"))


@SCHEDULERS
def test_absent_removes_every_trace(converged: Sandbox, scheduler: str) -> None:
    sandbox = converged
    sandbox.run("fetch")
    written = sandbox.tree()
    foretold = remove(sandbox.host, check=True)
    assert sandbox.tree() == written
    assert remove(sandbox.host, check=False).to_result() == foretold.to_result()
    assert sandbox.files() == set()
    assert not remove(sandbox.host, check=False).changed


def test_a_server_and_an_endpoint_on_one_host_leave_each_others_files_alone(sandbox: Sandbox) -> None:
    source = {"sources": {"urls": ["http://127.0.0.1:1"]}}
    document = EndpointDocument.from_dict({"format": 1, "endpoint": "n1", "scheduler": "systemd", "policy": source})

    def own(part: str) -> dict[str, tuple[int, bytes]]:
        return {path: kept for path, kept in sandbox.tree().items() if part in path and "server" not in path}

    for order in ("endpoint goes first", "server goes first"):
        sandbox.converge()
        endpoint.converge(document, sandbox.host, agent=b"the agent", check=False)
        assert not sandbox.converge().changed
        if order == "endpoint goes first":
            remove_endpoint(sandbox.host, check=False)
            assert not sandbox.converge().changed
            remove(sandbox.host, check=False)
        else:
            before = own("etc/epp-autoupdate/")
            remove(sandbox.host, check=False)
            assert own("etc/epp-autoupdate/") == before != {}
            assert not endpoint.converge(document, sandbox.host, agent=b"the agent", check=False).changed
            remove_endpoint(sandbox.host, check=False)
        assert sandbox.files() == set(), order


def test_the_command_is_the_same_converge(sandbox: Sandbox) -> None:
    sandbox.converge()
    quiet = json.loads(sandbox.run("apply", given=sandbox.settings()).stdout)
    assert (quiet["changed"], "diff" in quiet) == (False, False)
    changed = {"fetch": {"every": "15m"}}
    foretold = json.loads(sandbox.run("apply", "--check", "--diff", given=sandbox.settings(**changed)).stdout)
    assert foretold == sandbox.converge(**changed).to_result()
    refused = sandbox.run("apply", given={**sandbox.settings(), "web": {}, "fetch": {"every": "1s"}})
    told = json.loads(refused.stdout)
    assert (refused.returncode, told["failed"], len(told["msg"].splitlines())) == (65, True, 2)
    assert json.loads(sandbox.run("apply", "--absent").stdout)["changed"]
    assert sandbox.files() == set()


def test_a_removal_that_waits_makes_no_lock_of_its_own(sandbox: Sandbox) -> None:
    """Made by root, it would shut out the server's own user, should the removal give up."""
    sandbox.converge()
    host = sandbox.host
    host.remove(paths.FETCH_LOCK)
    with ThreadPoolExecutor(1) as pool:
        with exclusively(host, paths.DISPATCHER_LOCK, "campaign"):
            removal = pool.submit(remove, host, check=False)
            time.sleep(0.5)  # it has come to the lock that is held
            assert not removal.done()
            assert not host.exists(paths.FETCH_LOCK)
        assert removal.result().changed
    assert not host.exists(paths.STATE_DIRECTORY)
