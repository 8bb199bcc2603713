# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode reads a copy of the database: what is on disk stays as it is, whoever else has it open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_copy, open_database

INDEX = "-shm"
"""Of the files beside a database the one that each reader writes to; it has no content of its own."""


@contextmanager
def idle(host: LocalHost) -> Iterator[None]:
    """Nobody has the database open."""
    write(host, "first")
    yield


@contextmanager
def in_use(host: LocalHost) -> Iterator[None]:
    """Somebody has it open, and what was written last is not in the database's own file yet."""
    with closing(open_database(host)):
        write(host, "first")
        yield


@contextmanager
def killed(host: LocalHost) -> Iterator[None]:
    """Whoever wrote it was killed, and left what was written last beside it."""
    with in_use(host):
        left = {path: path.read_bytes() for path in files(host)}
    for path, content in left.items():
        if not path.name.endswith(INDEX):
            path.write_bytes(content)
    yield


def files(host: LocalHost) -> list[Path]:
    return sorted(Path(host.real(paths.STATE_DIRECTORY)).iterdir())


def write(host: LocalHost, word: str) -> None:
    with closing(open_database(host)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS words (word TEXT)")
        connection.execute("INSERT INTO words VALUES (?)", (word,))


def seen(host: LocalHost) -> dict[str, tuple[int, bytes]]:
    return {
        path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in files(host) if not path.name.endswith(INDEX)
    }


@pytest.mark.parametrize("others", [idle, in_use, killed])
def test_a_copy_has_what_was_written_last_and_leaves_no_trace(tmp_path: Path, others) -> None:
    host = LocalHost(str(tmp_path))
    with others(host):
        before, names = seen(host), [path.name for path in files(host)]
        with closing(open_copy(host)) as copy:
            assert [row["word"] for row in copy.execute("SELECT word FROM words")] == ["first"]
            copy.execute("INSERT INTO words VALUES ('second')")
        assert seen(host) == before
        assert others is killed or [path.name for path in files(host)] == names
    with closing(open_database(host)) as connection:
        assert [row["word"] for row in connection.execute("SELECT word FROM words")] == ["first"]


def test_without_a_database_none_is_made(tmp_path: Path) -> None:
    with closing(open_copy(LocalHost(str(tmp_path)))) as copy:
        assert copy.execute("SELECT count(*) FROM endpoints").fetchone()[0] == 0
    assert list(tmp_path.rglob("*")) == []
