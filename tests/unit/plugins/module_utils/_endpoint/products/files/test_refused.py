# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The product files: what a source gives wrong or in part is refused, and the installed version is kept (C3, R1)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.files.product import Files
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.files.samples import (
    DIRECTORY,
    Source,
    installed,
    update,
    versions,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import Answer


def edit_manifest(source: Source, **changes: Any) -> None:
    """Change the published manifest, or its first file (``path=...``), behind the publisher's back."""
    path = Path(source.server.folder) / "manifest.json"
    manifest = json.loads(path.read_text())
    for name, value in changes.items():
        target = manifest if name in manifest else manifest["files"][-1]
        target[name] = value
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "path", ["../../escaped", "/tmp/escaped", "a/../../escaped", "patterns/a.dat", "PATTERNS/A.dat"]
)
def test_paths_that_lead_out_or_are_there_twice_are_refused(
    files: Files, host: LocalHost, source: Source, path: str
) -> None:
    update(files)
    source.write(c="sea")
    source.publish("2")
    edit_manifest(source, path=path, kind="pattern")
    outcome = update(files)
    assert outcome.result is Result.FAILED
    assert outcome.why.startswith(f"{source.server.url}/manifest.json: files")
    assert installed(host) == {"patterns/a.dat": "one", "patterns/b.dat": "bee"}
    assert not list(Path(host.root).rglob("escaped"))


BAD_ANSWERS = {
    "truncated": (lambda body: Answer(200, body, {}, len(body) - 1), "the download ended after 2 of 3 bytes"),
    "other content": (lambda body: Answer(200, b"owt"), "SHA-256 is not what the manifest says"),
    "too much": (lambda body: Answer(200, body + b"!"), "more of it than the 3 bytes"),
    "endless": (lambda body: Answer(200, bytes(10_000_000)), "more of it than the 3 bytes"),
    "missing": (lambda body: Answer(404), "the source lacks"),
    "error": (lambda body: Answer(500), "answered 500"),
    "busy": (lambda body: Answer(503), "answered 503"),
    "to a file": (lambda body: Answer(302, b"", {"Location": "file:///etc/passwd"}), "answered 302"),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_all_or_nothing(files: Files, host: LocalHost, source: Source, name: str) -> None:
    answer, why = BAD_ANSWERS[name]
    update(files)
    source.write(a="two", b="new")
    source.publish("2")
    # One of the two new files arrives well, the other does not.
    bad = "/" + next(file.object_path for file in source.publish("2").files if file.path == "patterns/b.dat")
    source.server.script = lambda path, headers: answer(b"new") if path == bad else None
    outcome = update(files)
    assert outcome.result is Result.FAILED
    assert why in outcome.why
    assert versions(files) == {"patterns-a": "1", "patterns-b": "1"}
    assert installed(host) == {"patterns/a.dat": "one", "patterns/b.dat": "bee"}
    source.server.script = None
    assert update(files).result is Result.UPDATED
    assert installed(host) == {"patterns/a.dat": "two", "patterns/b.dat": "new"}


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"<html>Sign in</html>"),
        Answer(200, b'{"format":1,"version":"2","files":[', {}, 20),
        Answer(200, b" " * 9_000_000),
        Answer(404),
    ],
    ids=["web page", "truncated", "too large", "missing"],
)
def test_a_bad_manifest_fails_and_changes_nothing(
    files: Files, host: LocalHost, source: Source, answer: Answer
) -> None:
    update(files)
    before = installed(host)
    source.server.always(answer)
    assert update(files).result is Result.FAILED
    assert installed(host) == before


def test_a_download_is_resumed(files: Files, host: LocalHost, source: Source) -> None:
    large = "0123456789" * 50_000
    source.write(a=large)
    path = "/" + next(file.object_path for file in source.publish("2").files if file.path == "patterns/a.dat")
    source.server.script = lambda asked, headers: Answer(200, large.encode(), {}, 300_000) if asked == path else None
    assert update(files).result is Result.FAILED
    source.server.script = None
    source.server.forget()
    assert update(files).result is Result.UPDATED
    (resumed,) = [request for request in source.server.requests if request.path == path]
    assert (resumed.status, resumed.headers["Range"]) == (206, "bytes=300000-")
    assert installed(host)["patterns/a.dat"] == large


def test_a_bad_piece_of_an_earlier_download_is_not_trusted(files: Files, host: LocalHost, source: Source) -> None:
    source.write(a="0123456789")
    manifest = source.publish("2")
    digest = next(file.sha256 for file in manifest.files if file.path == "patterns/a.dat")
    incoming = Path(host.real(DIRECTORY)) / "incoming"
    incoming.mkdir(parents=True)
    (incoming / f"{digest}.part").write_text("evil")
    (incoming / ("0" * 64)).write_text("of a version that never came")
    assert update(files).result is Result.UPDATED
    assert installed(host)["patterns/a.dat"] == "0123456789"
