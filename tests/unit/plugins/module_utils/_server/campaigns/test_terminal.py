# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's commands at a real terminal and in a pipe: charts and progress there, the same bytes as ever here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.states import EndpointState
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notify import notify
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet import state_history
from ansible_collections.epp.autoupdate.tests.pseudo_terminal import Session, at_terminal

from .conftest import SandboxEndpoint
from .running_server import COLLECTIONS, Server

MODULE = "ansible_collections.epp.autoupdate.plugins.module_utils._server.cli.parser"
PROGRAM = f"import sys; from {MODULE} import main; sys.exit(main(sys.argv[1:]))"
IMPORTING = {"PYTHONPATH": COLLECTIONS}
"""The environment of a process that imports the library as this one does."""


@pytest.fixture
def server(server_host: LocalHost, make_endpoint: Callable[[str], SandboxEndpoint]) -> Server:
    return Server(server_host, make_endpoint)


def argv(server: Server, *arguments: str) -> list[str]:
    return [sys.executable, "-c", PROGRAM, "--root", server.host.root, *arguments]


def seen(server: Server, *arguments: str, columns: int = 80, piped: bool = False, **environment: str) -> Session:
    """A command at a terminal."""
    return at_terminal(argv(server, *arguments), columns=columns, piped=piped, environment={**IMPORTING, **environment})


def in_pipe(server: Server, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        argv(server, *arguments), capture_output=True, text=True, check=False, env={**os.environ, **IMPORTING}
    )
    return done.returncode, done.stdout, done.stderr


def release(server: Server, *names: str, after: int) -> None:
    """Let these endpoints end once so many others have, and the line has been drawn since."""
    deadline = time.monotonic() + 60
    select = "SELECT count(*) FROM deliveries WHERE status = 'finished'"
    while time.monotonic() < deadline:
        with closing(open_database(server.host)) as connection:
            if connection.execute(select).fetchone()[0] >= after:
                break
        time.sleep(0.1)
    time.sleep(2.5)
    for name in names:
        server.fleet[name].hold.unlink()


@pytest.mark.parametrize("words", [pytest.param(["notify"], marks=pytest.mark.heavy), ["update-now", "--all"]])
def test_progress_is_shown_while_it_goes_on_and_then_gone(server: Server, words: list[str]) -> None:
    server.enroll("n1", "n2", "n3", "n4")
    for name in ("n3", "n4"):
        server.fleet[name].hold.touch()
    if words == ["notify"]:
        server.publish("1")
    others = threading.Thread(target=release, args=(server, "n3", "n4"), kwargs={"after": 2})
    others.start()
    told = seen(server, *words)
    others.join()
    assert told.status == 0, told.written
    assert re.search(rf"{words[0]} 2/4 50%  2 updated  [0-9.]+/(s|min)  ends in [0-9]+s", told.written)
    assert not [line for line in told.lines if "%" in line]
    expected = {"notify": ["notify: 4 sent, 4 settled, 0 open"]}
    assert told.lines == expected.get(words[0], [f"n{number}  updated" for number in range(1, 5)])


@pytest.mark.parametrize(
    ("more", "environment"), [((), {"CI": "true"}), ((), {"TERM": "dumb"}), (("--json",), {})], ids=str
)
def test_there_is_no_progress_for_those_who_do_not_look(
    server: Server, more: tuple[str, ...], environment: dict[str, str]
) -> None:
    server.enroll("n1")
    server.publish("1")
    told = seen(server, "notify", *more, **environment)
    assert told.status == 0
    assert len(told.written.splitlines()) == 1
    assert "\x1b" not in told.written
    assert told.written.count("\r") == 1


def test_progress_is_seen_where_output_goes_into_a_file(server: Server) -> None:
    server.enroll("n1")
    server.publish("1")
    told = seen(server, "notify", piped=True)
    assert told.piped == "notify: 1 sent, 1 settled, 0 open\n"
    assert "notify 0/1 0%" in told.written
    assert told.lines in ([], [""])


def test_fetch_shows_which_product_is_next(server: Server, tmp_path: Path) -> None:
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "a").write_text("1")
    source = {"files": {"directory": str(tmp_path / "content")}, "command": {"fetch": ["/bin/false"]}}
    server.host.write(paths.SETTINGS, json.dumps({"components": source}).encode())
    told = seen(server, "fetch")
    assert re.search(r"fetch 0/2 0%  (files|command)\x1b?", told.written)
    assert re.search(r"fetch 1/2 50%  (files|command)  1 (failed|updated)", told.written)
    assert [line.split(";")[0] for line in told.lines] == ["fetch files: failed", "fetch command: failed"]


def history(server: Server, **counts: int) -> None:
    with closing(open_database(server.host)) as connection:
        for days in range(10):
            told = {EndpointState(state): count + days for state, count in counts.items()}
            state_history.record(connection, told, server.host.now() - days * 86400)
        connection.commit()


def test_status_has_charts_below_the_lines_that_pipes_get(server: Server) -> None:
    server.enroll("n1", "n2", "n3")
    server.publish("1")
    notify(server.host)
    history(server, current=3, behind=2)
    code, piped, errors = in_pipe(server, "status")
    assert (code, errors) == (0, "")
    for columns in (80, 200):
        told = seen(server, "status", columns=columns)
        assert told.status == 0, told.written
        assert max(map(len, told.lines[len(piped.splitlines()) :])) <= columns
        assert told.lines[: len(piped.splitlines())] == piped.splitlines()
        charts = told.lines[len(piped.splitlines()) :]
        assert charts[0] == ""
        assert charts[1].split() == ["current", "3", "\u2588" * 60]
        assert charts[3].split("  ")[0] == "campaigns"
        assert charts[4].split("  ")[1:] == ["command 1", "\u2588" * min(60, columns - 33)]
        assert charts[5] == "  3 updated"
        assert [line.split()[2] for line in charts[7:]] == ["current", "attention"]
        assert charts[7].endswith("3 to 12, now 3")
        assert "\x1b[32m" in told.written


def test_status_without_colors_or_blocks(server: Server) -> None:
    server.enroll("n1")
    assert "\x1b" not in seen(server, "status", NO_COLOR="1").written
    told = seen(server, "status", PYTHONIOENCODING="ascii")
    assert told.lines[-1] == "never_seen  1  " + "#" * 60


def test_status_of_a_server_without_endpoints_and_as_json_is_what_pipes_get(server: Server) -> None:
    assert seen(server, "status").lines == in_pipe(server, "status")[1].splitlines()
    server.enroll("n1")
    told = seen(server, "status", "--json")
    assert json.loads(told.written) == json.loads(in_pipe(server, "status", "--json")[1])
    assert "\x1b" not in told.written
