# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fast path of a converge: taken when nothing changed, and only then, with the same result."""

from __future__ import annotations

import json
import marshal
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import payload
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge import fast_path
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.converge import converge
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.recording_host import RecordingHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host import running

from ..conftest import Sandbox

DIGEST = payload.digest(payload.sources())
PRODUCTS: dict[str, dict[str, Any]] = {
    "command": {},
    "files": {"product": "files", "policy": {"sources": {"urls": ["http://127.0.0.1:1"]}}},
    "clamav": {"product": "clamav", "policy": {"schedule": {"timezone": "local"}}},
}

UNIT = "etc/systemd/system/epp-update.timer"
COLLECTOR = os.getpid()
"""ansible-test runs each test in a process of its own, where nothing that is made serves the next test."""


class Settled:
    """A sandbox whose endpoint the real agent converges."""

    def __init__(self, agent: Path, sandbox: Sandbox, **changes: Any) -> None:
        self._agent = agent
        self._sandbox = sandbox
        self.root = sandbox.root
        self.document = json.dumps(sandbox.document(**changes)).encode()
        self.record = self.root / fast_path.RECORD[1:]

    def apply(self, *flags: str) -> dict[str, Any]:
        done = subprocess.run(self.command(*flags), input=self.document, capture_output=True, check=True)
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def command(self, *flags: str) -> list[str]:
        return [str(self._agent), "apply", "--digest", DIGEST, "--root", str(self.root), *flags]

    def short_way(self, *flags: str) -> str | None:
        arguments = ["apply", "--digest", DIGEST, "--root", str(self.root), *flags]
        return fast_path.cached_result(arguments, self.document, digest=DIGEST)


def age() -> None:
    """Let every file be older than the moment in which one could change twice unseen."""
    time.sleep(fast_path.RACE_S + 0.1)


class Shelf:
    """Endpoints that were converged and found settled, made several at a time: one wait ages them all."""

    def __init__(self, agent: Path, directory: Path) -> None:
        self._agent = agent
        self._directory = directory
        self._made = 0
        self._ready: list[Settled] = []

    def take(self) -> Settled:
        if not self._ready:
            self._ready = self.make([{}] * (8 if os.getpid() == COLLECTOR else 1))
        return self._ready.pop()

    def make(self, changes: list[dict[str, Any]]) -> list[Settled]:
        """One settled endpoint for each set of changes of its document."""
        made = [Settled(self._agent, self._sandbox(), **change) for change in changes]
        for endpoint in made:
            endpoint.apply()
        age()
        for endpoint in made:
            assert not endpoint.apply()["changed"]
        return made

    def _sandbox(self) -> Sandbox:
        self._made += 1
        place = self._directory / str(self._made)
        place.mkdir()
        return Sandbox(place, now=time.time())


@pytest.fixture(scope="module")
def shelf(agent: Path, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(agent, tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def endpoint(shelf: Shelf) -> Settled:
    """A settled endpoint for one test alone."""
    return shelf.take()


@pytest.fixture(scope="module")
def kept(shelf: Shelf) -> Settled:
    return shelf.take()


@pytest.fixture
def recorded(kept: Settled) -> Iterator[Settled]:
    """A settled endpoint whose record a test may change; nothing else of it."""
    record = kept.record.read_bytes()
    yield kept
    kept.record.write_bytes(record)


def test_every_endpoint_can_settle(shelf: Shelf) -> None:
    """Whatever a converge asks of a host, it asks so that it can be asked again."""
    kinds = [(product, scheduler) for product in PRODUCTS for scheduler in ("systemd", "cron")]
    made = shelf.make([{"scheduler": scheduler, **PRODUCTS[product]} for product, scheduler in kinds])
    assert [kind for kind, endpoint in zip(kinds, made) if endpoint.short_way() is None] == []


@pytest.mark.heavy
def test_the_short_way_says_what_the_long_way_says(endpoint: Settled) -> None:
    for flags in ((), ("--check",), ("--diff",), ("--check", "--diff")):
        short = endpoint.short_way(*flags)
        assert short is not None
        kept = endpoint.record.read_bytes()
        endpoint.record.unlink()
        assert json.loads(short) == endpoint.apply(*flags)
        endpoint.record.write_bytes(kept)


def test_an_answer_that_can_not_be_written_is_no_success(endpoint: Settled) -> None:
    assert (
        endpoint.short_way()
        == subprocess.check_output(endpoint.command(), input=endpoint.document, text=False).decode()
    )
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            endpoint.command(), input=endpoint.document, stdout=full, stderr=subprocess.DEVNULL, check=False
        )
    assert done.returncode != 0


def test_check_mode_leaves_no_record(agent: Path, sandbox: Sandbox) -> None:
    endpoint = Settled(agent, sandbox)
    endpoint.apply()
    age()
    before = sandbox.tree()
    assert not endpoint.apply("--check")["changed"]
    assert sandbox.tree() == before


def test_files_that_have_just_changed_are_not_trusted(agent: Path, sandbox: Sandbox) -> None:
    endpoint = Settled(agent, sandbox)
    endpoint.apply()
    for _attempt in range(30):
        os.utime(endpoint.root / UNIT)
        changed = time.monotonic()
        assert not endpoint.apply()["changed"]
        if time.monotonic() - changed < fast_path.RACE_S:  # else the host was too busy for it to be recent
            assert not endpoint.record.exists()
            return
        endpoint.record.unlink(missing_ok=True)
    pytest.fail(f"no converge ended within {fast_path.RACE_S} s")


EDITS: dict[str, Callable[[Path], None]] = {
    "content of the same length": lambda root: (root / UNIT).write_text((root / UNIT).read_text().replace("e", "E", 1)),
    "touched": lambda root: os.utime(root / UNIT),
    "time put back": lambda root: os.utime(root / UNIT, ns=(0, 0)),
    "mode": lambda root: (root / UNIT).chmod(0o600),
    "removed": lambda root: (root / UNIT).unlink(),
    "link": lambda root: (root / "etc/systemd/system/timers.target.wants/epp-update.timer").unlink(),
    "policy": lambda root: (root / "etc/epp-autoupdate/endpoint.json").write_text("{}"),
    "agent": lambda root: (root / "usr/local/bin/epp-agent").write_bytes(b"#!/bin/false\n"),
    "directory's mode": lambda root: (root / "etc/epp-autoupdate").chmod(0o700),
    "something of the other scheduler": lambda root: put(root / "etc/cron.d/epp-autoupdate"),
    "polkit installed": lambda root: put(root / "usr/lib/polkit-1/polkitd"),
    "the user's switch": lambda root: put(root / "var/lib/epp-autoupdate/state.json"),
}


EVERY_DAY = ("content of the same length", "mode", "link", "the user's switch")


@pytest.mark.parametrize(
    "edit", [edit if edit in EVERY_DAY else pytest.param(edit, marks=pytest.mark.heavy) for edit in EDITS]
)
def test_any_edit_means_the_long_way(endpoint: Settled, edit: str) -> None:
    assert endpoint.short_way() is not None
    EDITS[edit](endpoint.root)
    assert endpoint.short_way() is None


OTHER_UPDATERS: dict[str, Callable[[Path], None]] = {
    "a new unit": lambda root: put(root / "etc/systemd/system/new.service"),
    "a unit's content": lambda root: put(root / "usr/lib/systemd/system/clamav.service", "[Service]\nExecStart=x\n"),
    "a new drop-in": lambda root: put(root / "etc/systemd/system/clamav.service.d/b.conf"),
    "a new link": lambda root: put(root / "etc/systemd/system/a.target.wants/clamav.service"),
    "a new table": lambda root: put(root / "etc/cron.d/new"),
    "a table's content": lambda root: put(root / "etc/cron.d/old", "1 1 1 1 1 root freshclam\n"),
    "a new script": lambda root: put(root / "etc/cron.daily/new"),
    "a script that is executable now": lambda root: (root / "etc/cron.daily/old").chmod(0o755),
    "a script that another one starts": lambda root: put(root / "opt/patterns", "#!/bin/sh\nfreshclam\n"),
}


@pytest.mark.heavy
def test_whatever_could_start_another_updater_means_the_long_way(agent: Path, tmp_path: Path) -> None:
    made = {edit: with_updaters(agent, tmp_path / str(number)) for number, edit in enumerate(OTHER_UPDATERS)}
    for endpoint in made.values():
        endpoint.apply()
    age()
    for edit, endpoint in made.items():
        assert not endpoint.apply()["changed"], edit
        assert endpoint.short_way() is not None, edit
        OTHER_UPDATERS[edit](endpoint.root)
        assert endpoint.short_way() is None, edit


def with_updaters(agent: Path, directory: Path) -> Settled:
    directory.mkdir()
    sandbox = Sandbox(directory, now=time.time())
    put(sandbox.root / "usr/lib/systemd/system/clamav.service", "[Service]\nExecStart=/usr/bin/freshclam\n")
    put(sandbox.root / "etc/systemd/system/clamav.service.d/a.conf")
    put(sandbox.root / "etc/systemd/system/a.target.wants/other.service")
    put(sandbox.root / "etc/cron.d/old", "1 1 1 1 1 root /opt/patterns\n")
    put(sandbox.root / "etc/cron.daily/old", "#!/bin/sh\nfreshclam\n")
    return Settled(agent, sandbox, **PRODUCTS["clamav"])


def put(path: Path, text: str = "{}") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_another_document_agent_or_option_means_the_long_way(kept: Settled) -> None:
    endpoint = kept
    base = ["apply", "--digest", DIGEST, "--root", str(endpoint.root)]
    assert fast_path.cached_result(base, endpoint.document, digest=DIGEST) is not None
    assert fast_path.cached_result(base, endpoint.document + b" ", digest=DIGEST) is None
    assert fast_path.cached_result(base, endpoint.document, digest="0" * 64) is None
    assert fast_path.cached_result(base, endpoint.document, digest=None) is None
    assert fast_path.cached_result([*base, "--absent"], endpoint.document, digest=DIGEST) is None
    assert fast_path.cached_result(["--root", *base], endpoint.document, digest=DIGEST) is None


@pytest.mark.parametrize(
    "change",
    [
        {"until": 0.0},
        {"format": 0},
        {"python": "another"},
        {"groups": {"root": False}},
        {"groups": {"no-such-group-here": True}},
        {"commands": {("/bin/echo", "new"): (0, "old\n")}},
        {"commands": {("/bin/false",): (0, "")}},
        {"commands": {("/nonexistent/program",): (0, "")}},
        {"files": {"/etc/epp-autoupdate/endpoint.json": None}},
        {"processes": {("no-such-process",): os.getpid()}},
        {"processes": {(running.name_of(os.getpid()),): running.NONE}},
    ],
    ids="".join,  # its one key: what has a process's id in it has another name in each process that collects it
)
def test_any_other_answer_means_the_long_way(recorded: Settled, change: dict[str, Any]) -> None:
    endpoint, record = recorded, marshal.loads(recorded.record.read_bytes())
    same = {
        "groups": {"root": True},
        "commands": {("/bin/echo", "old"): (0, "old\n")},
        "processes": {(running.name_of(os.getpid()),): os.getpid(), ("no-such-process",): running.NONE},
    }
    endpoint.record.write_bytes(marshal.dumps({**record, **same}))
    assert endpoint.short_way() is not None
    endpoint.record.write_bytes(marshal.dumps({**record, **same, **change}))
    assert endpoint.short_way() is None


@pytest.mark.parametrize("content", [b"", b"\xff", marshal.dumps(7), marshal.dumps({}), b"{" * 100])
def test_a_damaged_record_means_the_long_way(recorded: Settled, content: bytes) -> None:
    recorded.record.write_bytes(content)
    assert recorded.short_way() is None
    assert not recorded.apply()["changed"]


def test_the_record_is_nobody_elses_to_read_or_write(kept: Settled) -> None:
    assert kept.record.stat().st_mode & 0o777 == 0o600


def test_what_is_looked_at_behind_the_hosts_back_is_not_recorded(tmp_path: Path) -> None:
    host = RecordingHost(str(tmp_path))
    host.read("/a")
    assert host.cacheable
    host.real("/a")
    assert not host.cacheable


def test_a_real_converge_is_sound(sandbox: Sandbox) -> None:
    document = EndpointDocument.from_dict(sandbox.document())
    converge(document, sandbox.host, agent=b"agent", check=False)
    host = RecordingHost(str(sandbox.root))
    assert not converge(document, host, agent=b"agent", check=False).changed
    assert host.cacheable
