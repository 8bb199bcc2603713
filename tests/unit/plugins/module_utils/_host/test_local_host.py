# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of a host: atomic, durable, inside the root (C3)."""

from __future__ import annotations

import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host.filesystem.open_directory import temporary_name
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import SANDBOX_LOG, LocalHost


@pytest.fixture
def host(tmp_path: Path) -> LocalHost:
    return LocalHost(str(tmp_path))


def test_write_and_read(host: LocalHost, tmp_path: Path) -> None:
    host.write("/etc/some/file", b"content", mode=0o640)
    assert host.read("/etc/some/file") == b"content"
    assert stat.S_IMODE((tmp_path / "etc/some/file").stat().st_mode) == 0o640
    assert os.listdir(tmp_path / "etc/some") == ["file"]


@pytest.mark.parametrize("umask", [0o077, 0o027, 0])
def test_missing_parents_are_open_whatever_the_umask(host: LocalHost, tmp_path: Path, umask: int) -> None:
    (tmp_path / "kept").mkdir(mode=0o700)
    before = os.umask(umask)
    try:
        host.write("/kept/some/deep/file", b"content")
        host.mkdir("/other/place", mode=0o750)
        host.link("/third/link", "/kept")
    finally:
        os.umask(before)
    made = ("kept/some", "kept/some/deep", "other", "third")
    assert [stat.S_IMODE((tmp_path / path).stat().st_mode) for path in made] == [0o755] * len(made)
    assert stat.S_IMODE((tmp_path / "other/place").stat().st_mode) == 0o750
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o700


def test_reading_what_is_not_there(host: LocalHost) -> None:
    assert host.read("/etc/some/file") is None
    assert not host.exists("/etc/some/file")


def test_peeking_neither_waits_nor_raises(host: LocalHost, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "file").write_bytes(b"0123456789")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "out").symlink_to("/proc")
    assert [host.peek(f"/{name}", 4) for name in ("file", "link")] == [b"0123"] * 2
    assert host.peek("/file", 100) == b"0123456789"
    odd = ("fifo", "loop", "none", "", "out", "out/version", "file/below")
    assert [host.peek(f"/{name}", 4) for name in odd] == [None] * len(odd)


def test_a_directory_that_many_make_at_once_is_made_for_each_of_them(host: LocalHost, tmp_path: Path) -> None:
    """C3: machines start several agents in the same moment."""
    start = threading.Barrier(4)

    def make(_who: int) -> None:
        for number in range(50):
            start.wait()
            host.mkdir(f"/run/{number}", mode=0o750)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(make, range(4)))
    made = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "run").iterdir()]
    assert made == [0o750] * 50
    (tmp_path / "gone").symlink_to("nowhere")
    with pytest.raises(FileExistsError, match="gone"):
        host.mkdir("/gone")


def test_names_in_what_may_be_no_directory(host: LocalHost, tmp_path: Path) -> None:
    (tmp_path / "b").touch()
    (tmp_path / "a").mkdir()
    (tmp_path / "a/out").symlink_to("/proc")
    assert host.names("/") == ("a", "b")
    assert [host.names(path) for path in ("/b", "/none", "/a/out/1")] == [()] * 3


def test_a_failed_write_keeps_the_old_content(host: LocalHost, tmp_path: Path) -> None:
    host.write("/state/file", b"old")
    no_bytes: Any = "fails when it is to be written"
    with pytest.raises(TypeError):
        host.write("/state/file", no_bytes)
    assert host.read("/state/file") == b"old"
    assert os.listdir(tmp_path / "state") == ["file"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_nothing_is_made_for_an_owner_who_does_not_exist(host: LocalHost, tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="no-such-user-here"):
        host.write("/state/file", b"new", owner="no-such-user-here")
    with pytest.raises(KeyError, match="no-such-user-here"):
        host.mkdir("/srv/databases", owner="no-such-user-here")
    assert os.listdir(tmp_path) == []


def test_what_a_killed_writer_left_is_overwritten(host: LocalHost, tmp_path: Path) -> None:
    host.write("/state/file", b"old")
    Path(temporary_name(str(tmp_path / "state/file"))).write_bytes(b"half of the ne")
    host.write("/state/file", b"new")
    assert host.read("/state/file") == b"new"
    assert os.listdir(tmp_path / "state") == ["file"]


def test_a_link_planted_at_the_temporary_name_is_not_followed(host: LocalHost, tmp_path: Path) -> None:
    host.write("/state/file", b"old")
    victim = tmp_path / "victim"
    victim.write_bytes(b"untouched")
    Path(temporary_name(str(tmp_path / "state/file"))).symlink_to(victim)
    host.write("/state/file", b"new")
    assert host.read("/state/file") == b"new"
    assert victim.read_bytes() == b"untouched"


def test_a_link_that_leads_out_of_the_root_is_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "etc").symlink_to(outside)
    with pytest.raises(PermissionError, match="leads out of the root"):
        LocalHost(str(root)).write("/etc/file", b"escaped")
    assert os.listdir(outside) == []


def test_links_and_removal(host: LocalHost, tmp_path: Path) -> None:
    host.link("/a/link", "/old/target")
    host.link("/a/link", "/new/target")
    assert os.readlink(tmp_path / "a/link") == "/new/target"
    host.remove("/a/link")
    host.write("/b/c/d", b"")
    host.remove("/b")
    host.remove("/b")
    assert not host.exists("/a/link")
    assert not host.exists("/b")


def test_a_sandbox_logs_into_its_own_file_one_line_each(host: LocalHost) -> None:
    host.log(3, "first\nsecond")
    text = (host.read(SANDBOX_LOG) or b"").decode()
    assert text.endswith("<3> first | second\n")
    assert text.count("\n") == 1


def test_the_root_directory_is_the_live_host() -> None:
    assert LocalHost("/").live
    assert LocalHost("").live
    assert not LocalHost("/somewhere").live
