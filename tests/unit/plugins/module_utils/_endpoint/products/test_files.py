# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The product files against real servers: what is fetched, what is refused, what survives (C3, R1)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.document import EndpointDocument, FilesSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.entries import Directory
from ansible_collections.epp.autoupdate.plugins.module_utils._core.manifest import Manifest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy import Scope, Sources
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Outcome, Result
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products import select_product
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.files import Files
from ansible_collections.epp.autoupdate.plugins.module_utils._host.live_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.publisher import publish
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.scripted_server import (
    Answer,
    ScriptedServer,
)

DIRECTORY = "/var/lib/epp-autoupdate/components"
MANIFEST = "/manifest.json"


class Source:
    """A folder of component files, published behind a server."""

    def __init__(self, folder: Path, server: ScriptedServer) -> None:
        self.folder, self.server = folder, server

    def write(self, **contents: str) -> None:
        """``write(a="one")`` makes ``patterns/a.dat``; ``engines__e`` makes ``engines/e.dat``."""
        for name, content in contents.items():
            kind, _separator, stem = name.rpartition("__")
            path = self.folder / (kind or "patterns") / f"{stem}.dat"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def publish(self, version: str) -> Manifest:
        return publish(str(self.folder), self.server.folder, version)

    def seen(self) -> list[str]:
        """Paths asked for since the last time, objects as ``object``."""
        paths = ["object" if path.startswith("/objects/") else path for path, _status in self.server.seen()]
        self.server.forget()
        return paths


@pytest.fixture
def source(tmp_path: Path, server: ScriptedServer) -> Source:
    source = Source(tmp_path / "source", server)
    source.write(a="one", b="bee", engines__e="engine", programs__p="program")
    source.publish("1")
    return source


@pytest.fixture
def files(host: LocalHost, document: Callable[..., EndpointDocument], source: Source) -> Files:
    product = select_product(document("files", urls=[source.server.url]), host)
    assert isinstance(product, Files)
    return product


def update(product: Files, timeout: float = 20) -> Outcome:
    return product.update(timeout)


def versions(product: Files) -> dict[str, str]:
    return {component.name: component.version for component in product.components()}


def current(host: LocalHost, path: str) -> Path:
    return Path(host.real(f"{DIRECTORY}/current")) / path


def installed(host: LocalHost) -> dict[str, str]:
    root = current(host, "")
    return {str(path.relative_to(root)): path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    ("directory", "makes"),
    [
        ("/srv/components", (Directory("/srv/components"),)),
        ("/var/lib/epp-autoupdate/components", ()),  # the unit makes what is missing in the state directory by itself
    ],
)
def test_the_unit_makes_a_missing_directory_that_it_could_not_make_shut_in(
    host: LocalHost, document: Callable[..., EndpointDocument], directory: str, makes: tuple[Directory, ...]
) -> None:
    needs = Files.of(document("files", urls=["http://one.example"], files={"directory": directory}), host).needs()
    assert (needs.makes, needs.read_write) == (makes, (directory,))


def test_fetches_what_scope_takes_and_then_asks_once(files: Files, host: LocalHost, source: Source) -> None:
    assert files.components() == ()
    assert update(files).result is Result.UPDATED
    assert installed(host) == {"patterns/a.dat": "one", "patterns/b.dat": "bee"}
    assert source.seen() == [MANIFEST, "object", "object"]
    assert update(files) == Outcome(Result.CURRENT)
    assert source.server.seen() == [(MANIFEST, 304)]


def test_fetches_only_what_changed(files: Files, host: LocalHost, source: Source) -> None:
    update(files)
    source.seen()
    source.write(a="two")
    source.publish("2")
    assert update(files).result is Result.UPDATED
    assert source.seen() == [MANIFEST, "object"]
    assert versions(files) == {"patterns-a": "2", "patterns-b": "1"}
    assert installed(host) == {"patterns/a.dat": "two", "patterns/b.dat": "bee"}


def test_a_republished_manifest_of_the_same_version_changes_nothing(files: Files, source: Source) -> None:
    update(files)
    source.publish("1")
    path = Path(source.server.folder) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text())))
    assert update(files) == Outcome(Result.CURRENT)
    source.seen()
    assert update(files) == Outcome(Result.CURRENT)
    assert source.server.seen() == [(MANIFEST, 304)]


def test_files_that_a_version_drops_are_gone(files: Files, host: LocalHost, source: Source) -> None:
    update(files)
    (source.folder / "patterns" / "b.dat").unlink()
    source.publish("2")
    assert update(files).result is Result.UPDATED
    assert installed(host) == {"patterns/a.dat": "one"}


@pytest.mark.parametrize(
    ("scope", "paths"),
    [
        ("patterns", {"patterns/a.dat", "patterns/b.dat"}),
        ("engines", {"engines/e.dat"}),
        ("all", {"patterns/a.dat", "patterns/b.dat", "engines/e.dat", "programs/p.dat"}),
    ],
)
def test_scope(
    host: LocalHost, document: Callable[..., EndpointDocument], source: Source, scope: str, paths: set[str]
) -> None:
    product = select_product(document("files", urls=[source.server.url], scope=scope), host)
    assert product.update(20).result is Result.UPDATED
    assert set(installed(host)) == paths


def test_what_scope_leaves_stays_as_installed(
    host: LocalHost, document: Callable[..., EndpointDocument], source: Source
) -> None:
    select_product(document("files", urls=[source.server.url], scope="all"), host).update(20)
    source.write(a="two", engines__e="engine two")
    source.publish("2")
    select_product(document("files", urls=[source.server.url], scope="patterns"), host).update(20)
    assert installed(host)["patterns/a.dat"] == "two"
    assert installed(host)["engines/e.dat"] == "engine"
    # A wider scope takes the rest, although the source has nothing new.
    select_product(document("files", urls=[source.server.url], scope="all"), host).update(20)
    assert installed(host)["engines/e.dat"] == "engine two"


def test_an_older_manifest_is_held(files: Files, host: LocalHost, source: Source) -> None:
    source.write(a="ten")
    source.publish("1.10")
    update(files)
    source.write(a="nine")
    source.publish("1.9")
    outcome = update(files)
    assert outcome.result is Result.HELD
    assert outcome.why == "the source offers version 1.9, older than 1.10; nothing is downgraded"
    assert installed(host)["patterns/a.dat"] == "ten"


def spoil_edit(path: Path) -> None:
    path.write_text("BEE")


def spoil_size(path: Path) -> None:
    path.write_text("bee and more")


def spoil_remove(path: Path) -> None:
    path.unlink()


def spoil_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


def spoil_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("spoil", [spoil_edit, spoil_size, spoil_remove, spoil_link, spoil_directory])
def test_what_was_changed_by_hand_shows_and_is_mended(
    files: Files, host: LocalHost, source: Source, spoil: Callable[[Path], None]
) -> None:
    update(files)
    source.seen()
    spoil(current(host, "patterns/b.dat"))
    assert versions(files) == {"patterns-a": "1", "patterns-b": "damaged"}
    outcome = update(files)
    assert outcome == Outcome(Result.UPDATED, "mended 1 files, first patterns/b.dat")
    assert source.seen() == [MANIFEST, "object"]
    assert versions(files) == {"patterns-a": "1", "patterns-b": "1"}
    assert installed(host)["patterns/b.dat"] == "bee"
    assert update(files) == Outcome(Result.CURRENT)
    assert source.server.seen() == [(MANIFEST, 304)]


def test_a_touched_file_with_the_right_content_is_no_damage(files: Files, host: LocalHost, source: Source) -> None:
    update(files)
    os.utime(current(host, "patterns/b.dat"), (1, 1))
    assert versions(files)["patterns-b"] == "1"
    assert update(files) == Outcome(Result.CURRENT)


@pytest.mark.parametrize("what", ["current", "release.json", "sources.json", "everything"])
def test_lost_or_damaged_memory_costs_no_more_than_downloads(
    files: Files, host: LocalHost, source: Source, what: str
) -> None:
    update(files)
    store = Path(host.real(DIRECTORY))
    if what == "current":
        (store / "current").unlink()
        (store / "current").mkdir()
        (store / "current" / "mine").write_text("x")
    elif what == "release.json":
        next(store.glob("releases/*/release.json")).write_text("{}")
    elif what == "sources.json":
        (store / "sources.json").write_bytes(b"\0\0")
    else:
        os.rename(store, str(store) + ".away")
    assert update(files).result in (Result.UPDATED, Result.CURRENT)
    assert installed(host) == {"patterns/a.dat": "one", "patterns/b.dat": "bee"}
    assert update(files) == Outcome(Result.CURRENT)


def test_one_version_before_is_kept_and_no_download(files: Files, host: LocalHost, source: Source) -> None:
    for number in range(1, 5):
        source.write(a=f"content {number}")
        source.publish(str(number))
        update(files)
    store = Path(host.real(DIRECTORY))
    names = sorted(path.name.partition("-")[0] for path in (store / "releases").iterdir())
    assert names == ["3", "4"]
    assert list((store / "incoming").iterdir()) == []


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
    (incoming / f"{digest}.part").write_text("XXXX")
    (incoming / ("0" * 64)).write_text("of a version that never came")
    assert update(files).result is Result.UPDATED
    assert installed(host)["patterns/a.dat"] == "0123456789"


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"Retry-After": "120"}, 120),
        (429, {}, 3600),
        (403, {}, 3600),
        (503, {"Retry-After": "60"}, 60),
        (429, {"Retry-After": "99999999"}, 86400),
        (429, {"Retry-After": "soon"}, 3600),
        (429, {"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}, 86400),
    ],
)
def test_refusal_is_a_cool_down_in_which_nothing_is_asked(
    files: Files, host: Any, source: Source, status: int, headers: dict[str, str], seconds: int
) -> None:
    host.stopped_at = 1795348800.0  # 2026-11-22T12:00:00Z
    source.server.always(Answer(status, b"", headers))
    outcome = update(files)
    assert outcome.result is Result.COOLING_DOWN
    assert outcome.until == int(host.now()) + seconds
    source.server.script = None
    source.server.forget()
    again = update(files)
    assert (again.result, again.until) == (Result.COOLING_DOWN, outcome.until)
    assert source.server.requests == []
    host.ahead = seconds + 1
    assert update(files).result is Result.UPDATED


def test_a_server_at_its_cap_is_asked_again(files: Files, source: Source) -> None:
    """N3: neither a failure nor a cool-down."""
    turned_away: list[str] = []

    def busy(path: str, _headers: dict[str, str]) -> Answer | None:
        turned_away.append(path)
        return Answer(503, b"", {"Retry-After": "0"}) if len(turned_away) in (1, 3) else None

    source.server.script = busy
    assert update(files).result is Result.UPDATED
    assert source.seen()[:2] == [MANIFEST, MANIFEST]


def test_sources_are_tried_in_order(
    host: LocalHost,
    document: Callable[..., EndpointDocument],
    source: Source,
    serve: Callable[[], ScriptedServer],
    dead_url: str,
) -> None:
    refusing, lacking = serve(), serve()
    refusing.always(Answer(429))
    urls = [dead_url, refusing.url, lacking.url, source.server.url]
    product = select_product(document("files", urls=urls), host)
    assert product.update(20).result is Result.UPDATED
    refusing.forget()
    assert product.update(20).result is Result.CURRENT
    assert refusing.requests == []


def test_the_most_telling_ending_is_reported(
    host: LocalHost,
    document: Callable[..., EndpointDocument],
    serve: Callable[[], ScriptedServer],
    dead_url: str,
) -> None:
    refusing, lacking = serve(), serve()
    refusing.always(Answer(429))

    def result(*urls: str) -> Result:
        return select_product(document("files", urls=list(urls)), host).update(20).result

    assert result(dead_url) is Result.UNREACHABLE
    assert result(dead_url, refusing.url) is Result.COOLING_DOWN
    assert result(dead_url, refusing.url, lacking.url) is Result.FAILED


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(200, bytes(1_000_000), {}, 10, drips=True), "the update took longer than 1 s"),
        (Answer(200, bytes(1_000_000), {}, 10, stalls=True), "/manifest.json: the download broke off"),
    ],
    ids=["drips", "says nothing"],
)
def test_a_server_that_never_ends_its_answer_does_not_outlast_the_limit(
    files: Files, source: Source, answer: Answer, why: str
) -> None:
    source.server.always(answer)
    outcome = update(files, timeout=1)
    assert outcome.result is Result.FAILED
    assert why in outcome.why
    assert source.server.deserted.wait(30)


def test_a_full_disk_fails_early_and_leaves_nothing(
    files: Files, host: LocalHost, source: Source, small_disk: Callable[[Path, str], None]
) -> None:
    directory = Path(host.real(DIRECTORY))
    small_disk(directory, "size=256k")
    update(files)
    source.write(a="x" * 1_000_000)
    source.publish("2")
    source.seen()
    outcome = update(files)
    assert outcome.result is Result.FAILED
    assert "no space left on device: 1000000 bytes are needed" in outcome.why
    assert source.seen() == [MANIFEST]
    assert installed(host) == {"patterns/a.dat": "one", "patterns/b.dat": "bee"}
    small_disk(directory, "size=4m")
    assert update(files).result is Result.UPDATED


def test_a_disk_that_fills_up_on_the_way(
    files: Files, host: LocalHost, source: Source, small_disk: Callable[[Path, str], None]
) -> None:
    directory = Path(host.real(DIRECTORY))
    small_disk(directory, "size=256k")
    update(files)
    source.write(a="x" * 150_000)
    source.publish("2")

    def fill(path: str, headers: dict[str, str]) -> None:
        if path.startswith("/objects/"):
            (directory / "filler").write_bytes(bytes(120_000))

    source.server.script = fill
    outcome = update(files)
    assert outcome.result is Result.FAILED
    assert "No space left on device" in outcome.why
    assert installed(host) == {"patterns/a.dat": "one", "patterns/b.dat": "bee"}
    assert list((directory / "incoming").iterdir()) == []


def test_a_read_only_file_system_is_a_failure(
    files: Files, host: LocalHost, source: Source, small_disk: Callable[[Path, str], None]
) -> None:
    directory = Path(host.real(DIRECTORY))
    small_disk(directory, "size=1m")
    update(files)
    small_disk(directory, "ro")
    source.write(a="two")
    source.publish("2")
    outcome = update(files)
    assert outcome.result is Result.FAILED
    assert "Read-only file system" in outcome.why
    assert versions(files) == {"patterns-a": "1", "patterns-b": "1"}


def test_no_source_at_all_is_a_failure(host: LocalHost) -> None:
    outcome = Files(host, FilesSettings(), Sources(), Scope.PATTERNS).update(5)
    assert (outcome.result, outcome.why) == (Result.FAILED, "sources.urls is empty: there is nowhere to update from")


def test_reachable_connects_and_asks_nothing(files: Files, source: Source) -> None:
    assert files.reachable(5)
    source.server.stop()
    assert not files.reachable(1)
    assert source.server.requests == []


def test_a_scan_is_not_possible_and_says_so(files: Files) -> None:
    outcome = files.scan(["/"], 5)
    assert (outcome.ok, outcome.why) == (False, "the product files has no scanner")
