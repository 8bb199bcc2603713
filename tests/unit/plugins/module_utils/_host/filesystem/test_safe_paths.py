# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Root writes, makes, reads and removes in directories of others, and is led nowhere else (C3)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host.filesystem.open_directory import temporary_name
from ansible_collections.epp.autoupdate.plugins.module_utils._host.filesystem.safe_paths import (
    UnsafePath,
    open_directory,
    open_file,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._host.filesystem.user_files import Account, change_file
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.lock import locked

from .others import USER, as_root, beside, by_the_other, machine, make_victim, plant, state, swap

HOST = LocalHost()
NAME = "epp.prom"


@pytest.fixture
def base() -> Iterator[Path]:
    with machine() as place:
        yield place


def theirs_in(base: Path) -> Path:
    """A directory of the other user's, with one below it in which root works."""
    theirs = base / "prometheus"
    (theirs / "inner").mkdir(parents=True)
    for path in (theirs, theirs / "inner"):
        os.chown(path, USER, USER)
    return theirs


def write(path: str) -> None:
    HOST.write(path, b"new")


def give_away(path: str) -> None:
    HOST.mkdir(path, mode=0o777, owner="daemon")


def lock(path: str) -> None:
    with locked(HOST, path, wait=0):
        pass


def change_home(path: str) -> None:
    directory = os.path.dirname(path)
    account = Account(os.path.dirname(directory), USER, USER)
    change_file(HOST, account, os.path.basename(directory), os.path.basename(path), lambda _old: b"new")


WORKS: dict[str, Callable[[str], object]] = {
    "write": write,
    "link": lambda path: HOST.link(path, "/nowhere"),
    "make": give_away,
    "remove": HOST.remove,
    "read": HOST.read,
    "lock": lock,
    "change in a home": change_home,
}
works = pytest.mark.parametrize("work", WORKS.values(), ids=WORKS)


@as_root
@works
@pytest.mark.parametrize("kind", ["link", "fifo", "socket", "directory", "file"])
@pytest.mark.parametrize("step", ["inner", f"inner/{NAME}", f"inner/{temporary_name(NAME)}"])
def test_what_is_planted_leads_nowhere(base: Path, work: Callable[[str], object], kind: str, step: str) -> None:
    theirs, victim = theirs_in(base), make_victim(base, NAME, temporary_name(NAME))
    aim = victim if step == "inner" else victim / "private" if work is give_away else victim / NAME
    by_the_other(lambda: plant(kind, theirs / step, aim))
    before = state(victim)
    told = ""
    try:
        work(str(theirs / "inner" / NAME))
    except OSError as error:
        told = str(error)
    assert not told or str(theirs) in told
    assert state(victim) == before


@as_root
@works
def test_nor_does_what_is_swapped_meanwhile(base: Path, work: Callable[[str], object]) -> None:
    """The other user puts a link in the directory's place and takes it away again, for as long as root works there."""
    theirs, victim = theirs_in(base), make_victim(base, NAME)
    decoy = theirs / "decoy"
    by_the_other(lambda: decoy.symlink_to(victim))
    before, done, refused = state(victim), 0, 0
    with beside(lambda: swap(theirs / "inner", decoy)):
        for _try in range(20_000):
            try:
                work(str(theirs / "inner" / NAME))
                done += 1
            except OSError:
                refused += 1
            if done > 100 and refused > 100:
                break
    assert state(victim) == before
    assert done
    assert refused


@as_root
def test_nothing_is_removed_behind_a_link_in_a_tree(base: Path) -> None:
    """What is in a directory of the other's goes, and what its links lead to stays, also when they come meanwhile."""
    theirs, victim = theirs_in(base), make_victim(base, NAME)
    tree, decoy = theirs / "inner", theirs / "decoy"
    by_the_other(lambda: decoy.symlink_to(victim))
    before = state(victim)

    def fill() -> None:
        for name in ("a", "b"):
            (tree / name / "c" / "d").mkdir(parents=True)
            (tree / name / "c" / "link").symlink_to(victim)
        tree.rename(theirs / "tree")

    def exchange() -> None:
        with suppress(FileNotFoundError):
            swap(theirs / "tree" / "a", decoy)

    for _try in range(50):
        by_the_other(fill)
        with beside(exchange), suppress(OSError):
            HOST.remove(str(theirs / "tree"))
        for left in ("tree", "decoy"):  # the one or the other may be the link now
            HOST.remove(str(theirs / left))
        by_the_other(lambda: [tree.mkdir(), decoy.symlink_to(victim)])
    assert state(victim) == before


def test_a_tree_is_removed_however_deep_it_is(tmp_path: Path) -> None:
    top = descriptor = os.open(tmp_path, os.O_RDONLY)
    for _level in range(1500):  # longer than any path may be, and more than there may be open files
        os.mkdir("a-directory", dir_fd=descriptor)
        inner = os.open("a-directory", os.O_RDONLY, dir_fd=descriptor)
        if descriptor != top:
            os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
    os.close(top)
    (tmp_path / "a-directory/link").symlink_to(tmp_path)
    (tmp_path / "a-directory/empty").mkdir(mode=0o500)
    HOST.remove(str(tmp_path / "a-directory"))
    assert os.listdir(tmp_path) == []


@as_root
def test_the_refusal_says_where_who_and_what_to_do(base: Path) -> None:
    theirs = theirs_in(base)
    by_the_other(lambda: plant("link", theirs / "inner", base))
    with pytest.raises(UnsafePath) as refused:
        HOST.write(str(theirs / "inner" / NAME), b"new")
    assert str(refused.value) == (
        f"{theirs}/inner: {theirs}/inner is a symbolic link that the user with uid {USER} could have made, so it is "
        "not followed: make it a directory, or give the link and the directory around it to root, with nobody else who "
        "may write there"
    )


@as_root
@pytest.mark.parametrize(
    ("link_of", "directory_of", "mode", "followed"),
    [
        (0, 0, 0o755, True),
        (USER, 0, 0o755, False),
        (0, USER, 0o755, False),
        (0, 0, 0o1777, False),
        (0, 0, 0o775, False),
    ],
)
def test_only_links_that_nobody_else_can_replace_are_followed(
    base: Path, link_of: int, directory_of: int, mode: int, followed: bool
) -> None:
    system, elsewhere = base / "system", base / "elsewhere"
    for path in (system, elsewhere):
        path.mkdir()
    (system / "run").symlink_to("../elsewhere")
    os.lchown(system / "run", link_of, link_of)
    os.chown(system, directory_of, directory_of)
    system.chmod(mode)
    path = str(system / "run" / "new" / NAME)
    if followed:
        HOST.write(path, b"new")
        assert (elsewhere / "new" / NAME).read_bytes() == HOST.read(path) == b"new"
        return
    with pytest.raises(UnsafePath):
        HOST.write(path, b"new")
    with pytest.raises(UnsafePath):
        HOST.read(path)
    assert os.listdir(elsewhere) == []


def test_our_own_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "absolute").symlink_to(tmp_path / "there")
    (tmp_path / "relative").symlink_to("absolute/../there/.")
    HOST.write(str(tmp_path / "relative" / "file"), b"new")
    assert HOST.read(str(tmp_path / "absolute" / "file")) == b"new"
    (tmp_path / "there" / "link").symlink_to("file")
    assert HOST.read(str(tmp_path / "relative" / "link")) == b"new"


def test_a_link_to_a_directory_that_is_not_there_makes_none(tmp_path: Path) -> None:
    """It may lead to a file system that is not mounted."""
    (tmp_path / "databases").symlink_to(tmp_path / "mounted" / "databases")
    with pytest.raises(FileNotFoundError):
        HOST.write(str(tmp_path / "databases" / "file"), b"new")
    with pytest.raises(FileExistsError):
        HOST.mkdir(str(tmp_path / "databases"))
    assert os.listdir(tmp_path) == ["databases"]


def test_links_that_lead_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    for work in (write, HOST.read, HOST.mkdir):
        with pytest.raises(OSError, match="Too many levels"):
            work(str(tmp_path / "one" / "file"))


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "device").symlink_to("/dev/zero")
    for name in ("fifo", "device", ".", "missing/file"):
        assert HOST.read(str(tmp_path / name)) is None
    with pytest.raises(OSError, match="not a regular file"):
        open_file(str(tmp_path / "fifo"))
    with pytest.raises(ValueError, match="not an absolute path"):
        open_directory("relative")


@as_root
def test_what_is_full_is_not_given_away_where_it_could_have_been_exchanged(base: Path) -> None:
    """The other may rename what is in his directory, also a private directory of root's."""
    theirs = theirs_in(base)
    (theirs / "private").mkdir(mode=0o700)
    (theirs / "private" / "key").write_bytes(b"secret")
    with pytest.raises(PermissionError, match="by hand"):
        HOST.mkdir(str(theirs / "private"), owner="daemon")
    told = (theirs / "private").stat()
    assert (told.st_uid, stat.S_IMODE(told.st_mode)) == (0, 0o700)
