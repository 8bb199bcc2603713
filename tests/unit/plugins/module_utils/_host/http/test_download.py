# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One file, whole or not at all, by a conditional request."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host.http.client import ClientProfile, HttpClient
from ansible_collections.epp.autoupdate.plugins.module_utils._host.http.download import download
from ansible_collections.epp.autoupdate.plugins.module_utils._host.http.errors import (
    BodyTooLarge,
    DeadlineExceeded,
    SourceError,
    UnexpectedStatus,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    Answer,
    ScriptedServer,
)


def bring(host: LocalHost, server: ScriptedServer, *, limit: int = 100, seconds: float = 10, name: str = "x") -> bool:
    client = HttpClient(time.monotonic() + seconds, host.now, ClientProfile("epp-test", silence=30.0))
    return download(client, f"{server.url}/{name}", host, "/work/x", limit=limit)


@pytest.fixture
def published(host: LocalHost, server: ScriptedServer) -> Path:
    """A file that has been there for a while."""
    host.mkdir("/work")
    path = Path(server.folder, "x")
    path.write_text("one")
    os.utime(path, (1e9, 1e9))
    return path


def test_a_file_that_has_not_changed_costs_one_conditional_request(
    host: LocalHost, server: ScriptedServer, published: Path
) -> None:
    assert bring(host, server)
    assert not bring(host, server)
    published.write_text("two")
    assert bring(host, server)
    assert host.read("/work/x") == b"two"
    assert [status for _path, status in server.seen()] == [200, 304, 200]


def test_a_file_that_changed_a_moment_ago_is_asked_for_whole_again(
    host: LocalHost, server: ScriptedServer, published: Path
) -> None:
    """It could change once more within the second that its validators tell."""
    os.utime(published)
    assert bring(host, server)
    assert bring(host, server)


def test_validators_count_for_the_file_that_is_there_and_its_url(
    host: LocalHost, server: ScriptedServer, published: Path
) -> None:
    bring(host, server)
    host.remove("/work/x")
    assert bring(host, server), "the file is gone"
    (published.parent / "y").write_text("other")
    assert bring(host, server, name="y"), "the URL is another one"
    for damaged in (b"{", b"[]"):
        host.write("/work/x.json", damaged)
        assert bring(host, server)
    assert {status for _path, status in server.seen()} == {200}


def test_the_url_may_hold_a_key_so_its_record_is_for_nobody_else(
    host: LocalHost, server: ScriptedServer, published: Path
) -> None:
    bring(host, server)
    assert Path(host.real("/work/x.json")).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(200, b"x" * 101), BodyTooLarge),
        (Answer(200, b"x" * 50, body_cut=10), SourceError),
        (Answer(206, b"x"), UnexpectedStatus),
        (Answer(304), UnexpectedStatus),
        (Answer(204), UnexpectedStatus),
    ],
)
def test_what_is_not_the_whole_file_leaves_the_old_one(
    host: LocalHost, server: ScriptedServer, published: Path, answer: Answer, error: type[SourceError]
) -> None:
    bring(host, server)
    host.remove("/work/x.json")
    server.always(answer)
    with pytest.raises(error):
        bring(host, server)
    assert host.read("/work/x") == b"one"
    assert os.listdir(host.real("/work")) == ["x"]


def test_a_server_that_drips_does_not_outlast_the_deadline(
    host: LocalHost, server: ScriptedServer, published: Path
) -> None:
    server.always(Answer(200, bytes(100), body_cut=10, drips=True))
    with pytest.raises(DeadlineExceeded):
        bring(host, server, seconds=1)
    assert not host.exists("/work/x")
