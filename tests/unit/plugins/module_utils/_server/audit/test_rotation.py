# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit in several files (G8): one chain over all of them, whatever is killed, and whatever somebody alters."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.audit.entry import BEGIN, AuditKind, Note, digest_of
from ansible_collections.epp.autoupdate.plugins.module_utils._host.filesystem.open_directory import OpenDirectory
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.audit import files, log
from ansible_collections.epp.autoupdate.plugins.module_utils._server.audit.check import first_problem
from ansible_collections.epp.autoupdate.plugins.module_utils._server.audit.log import record

from ..fleet.conftest import Server

_FULL = 1000
"""Bytes of a file that is full here: a few entries."""
_COUNT = 14


HEAVY = pytest.mark.heavy


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST", _FULL)


@pytest.fixture
def folder(server: Server) -> Path:
    """The directory of an audit of several files."""
    for number in range(_COUNT):
        write(server, number)
    return Path(server.host.real(paths.AUDIT))


def write(server: Server, number: int) -> None:
    record(server.host, Note(AuditKind.OFFERED, {"product": "clamav", "version": f"27{number:03}"}, "x" * 50))


def names(folder: Path) -> list[str]:
    """The files in the order of the chain."""
    return [*sorted(path.name for path in folder.glob("audit-*.jsonl")), "audit.jsonl"]


def lines(folder: Path) -> list[bytes]:
    existing = (folder / name for name in names(folder) if (folder / name).exists())
    return [line for path in existing for line in path.read_bytes().splitlines()]


def verified(server: Server, *more: str) -> tuple[int, list[str]]:
    """The exit status and the problems as people read them."""
    status, out, _err = server.run("audit", "verify", *more)
    return status, [line.removeprefix("audit: ") for line in out.splitlines()] if status else []


def test_a_full_file_is_followed_by_one_that_goes_on_with_its_last_line(server: Server, folder: Path) -> None:
    whole = lines(folder)
    assert len(names(folder)) >= 4
    assert [json.loads(line)["sequence"] for line in whole] == list(range(1, _COUNT + 1))
    assert [json.loads(line)["previous"] for line in whole] == [BEGIN, *map(digest_of, whole[:-1])]
    for name in names(folder)[:-1]:
        first, *_rest = (folder / name).read_bytes().splitlines()
        assert name == f"audit-{json.loads(first)['sequence']:012}.jsonl"
        assert _FULL <= (folder / name).stat().st_size < 2 * _FULL
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert verified(server) == (0, [])


def test_every_command_reads_all_files(server: Server, folder: Path, tmp_path: Path) -> None:
    assert server.ask("audit", "verify", "--json")["entries"] == _COUNT
    shown = server.ask("audit", "show", "--last", "0", "--json")["entries"]
    assert [entry["sequence"] for entry in shown] == list(range(1, _COUNT + 1))
    assert server.ask("audit", "explain", "27000", "--json")["entries"][0]["sequence"] == 1
    status, out, _err = server.run("audit", "export")
    assert (status, out.encode().splitlines()) == (0, lines(folder))
    copy = tmp_path / "copy"
    copy.write_text(out)
    write(server, _COUNT)
    assert verified(server, "--against", str(copy)) == (0, [])


def _altered(folder: Path) -> None:
    path = folder / names(folder)[1]
    path.write_bytes(path.read_bytes().replace(b"offered", b"stopped", 1))


def _last_altered(folder: Path) -> None:
    path = folder / names(folder)[0]
    first, found, last = path.read_bytes().rpartition(b"offered")
    path.write_bytes(first + found.replace(b"offered", b"stopped") + last)


def _first_gone(folder: Path) -> None:
    (folder / names(folder)[0]).unlink()


def _second_gone(folder: Path) -> None:
    (folder / names(folder)[1]).unlink()


def _swapped(folder: Path) -> None:
    one, other = folder / names(folder)[0], folder / names(folder)[1]
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)


def _cut(folder: Path) -> None:
    path = folder / names(folder)[0]
    os.truncate(path, path.stat().st_size - 10)


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (_altered, "{1}, line 2: it does not follow from the one before: line 1 was changed"),
        (_last_altered, "{1}, line 1: it does not follow from the one before: the last line of the file before"),
        (_first_gone, "{0}, line 1: it is entry {first}: entries 1 to {before} are missing here"),
        pytest.param(_second_gone, "missing here", marks=HEAVY),
        pytest.param(_swapped, "{0}, line 1: it is entry {first}: entries 1 to {before} are missing here", marks=HEAVY),
        pytest.param(_cut, "it can't be read", marks=HEAVY),
    ],
)
def test_a_full_file_that_is_missing_or_altered_is_found(
    server: Server, folder: Path, tamper: Callable[[Path], None], words: str
) -> None:
    assert first_problem(server.host, remember=True) == ""
    second = int(names(folder)[1][6:18])
    tamper(folder)
    status, found = verified(server)
    assert status == 1
    wanted = words.format(*names(folder), first=second, before=second - 1)
    assert any(wanted in line for line in found), found
    assert first_problem(server.host, remember=True)
    assert server.run("health", "--json")[0] == 1
    write(server, _COUNT)  # the end is as it was signed
    assert verified(server)[0] == 1


def test_what_was_looked_at_is_not_looked_at_again_until_it_changes(
    server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    original = server.host.read

    def noted(path: str) -> bytes | None:
        read.append(Path(path).name)
        return original(path)

    monkeypatch.setattr(server.host, "read", noted)
    assert first_problem(server.host, remember=True) == ""
    assert set(names(folder)) <= set(read)
    write(server, _COUNT)
    read.clear()
    assert first_problem(server.host, remember=True) == ""
    assert "audit.jsonl" in read
    assert not set(names(folder)[:-2]) & set(read)
    _altered(folder)
    assert "line 1 was changed" in first_problem(server.host, remember=True)
    assert "line 1 was changed" in first_problem(server.host, remember=True)


def test_an_end_that_was_cut_is_put_aside_and_the_chain_goes_on_behind_the_full_files(
    server: Server, folder: Path
) -> None:
    (folder / "audit.jsonl").write_bytes(b"nonsense\n")
    write(server, _COUNT)
    (aside,) = (path for path in folder.glob("audit.jsonl.damaged-*") if path.suffix != ".head")
    assert json.loads(lines(folder)[-2])["kind"] == "damaged"
    assert any("lies aside" in line for line in verified(server)[1])
    aside.unlink()
    assert verified(server) == (0, [])


def test_a_full_file_at_the_end_that_was_altered_is_put_aside_too(server: Server, folder: Path) -> None:
    newest = folder / names(folder)[-2]
    os.replace(folder / "audit.jsonl", folder / "other")
    newest.write_bytes(newest.read_bytes()[:-20])
    write(server, _COUNT)
    aside = [path for path in folder.glob("*.damaged-*") if path.suffix != ".head"]
    assert [path.name.partition(".damaged-")[0] for path in aside] == [newest.name]
    aside[0].unlink()
    assert verified(server) == (0, [])


def _steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Callable[[], None]]]:
    """Each step of an entry that begins a file: a word, and a function by which the process ends there."""

    def dies(owner: Any, name: str, *, after: bool) -> Callable[[], None]:
        original = getattr(owner, name)

        def killed(*given: Any, **more: Any) -> Any:
            if after:
                original(*given, **more)
            raise Killed

        return lambda: monkeypatch.setattr(owner, name, killed)

    for owner, name in ((log, "rotate"), (OpenDirectory, "rename"), (log, "_seal"), (log, "_write_line")):
        for after in (False, True):
            yield f"{'after' if after else 'before'} {name}", dies(owner, name, after=after)

    def half(host: Any, line: bytes) -> None:
        Path(host.real(paths.AUDIT_LOG)).write_bytes(line[:40])
        raise Killed

    yield "in the middle of the line", lambda: monkeypatch.setattr(log, "_write_line", half)


@pytest.mark.parametrize("step", [0, 3, *(pytest.param(one, marks=HEAVY) for one in (1, 2, 4, 5, 6, 7)), 8])
def test_a_kill_at_each_step_leaves_one_chain(
    server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    number = _COUNT
    while (folder / "audit.jsonl").stat().st_size < _FULL:
        write(server, number)
        number += 1
    before = lines(folder)
    with monkeypatch.context() as patch:
        word, arm = list(_steps(patch))[step]
        arm()
        with pytest.raises(Killed):
            write(server, number)
    assert verified(server) == (0, []), word
    write(server, number + 1)
    after = lines(folder)
    assert verified(server) == (0, []), word
    assert after[: len(before)] == before
    assert len(after) - len(before) in (1, 2)
    assert not list(folder.glob("*.damaged-*"))
    assert len((folder / "audit.jsonl").read_bytes().splitlines()) == len(after) - len(before)
