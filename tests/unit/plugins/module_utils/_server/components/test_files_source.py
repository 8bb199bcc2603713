# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sources ``files`` and ``command``: real folders, archives, repositories and programs."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import (
    InvalidManifest,
    Kind,
    ManifestFile,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.base import Source, Workplace
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.declared import (
    Declaration,
    component_name,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.folder import publish_folder
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.objects import store
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.filesystem.others import (
    USER,
    as_root,
    by_the_other,
    machine,
    plant,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    Answer,
    ScriptedServer,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._server.components.packed import tar
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._server.components.published import (
    content,
    manifest,
)


def test_a_directory_is_published_when_it_changes(source: Callable[..., Source], host: LocalHost, folder: Path) -> None:
    files = source(files={"directory": "/upstream"})
    assert files.published() is None
    assert files.fetch().result is Result.UPDATED
    first = files.published()
    assert first is not None
    assert (first.version, [(item.name, item.version) for item in first.items]) == ("1", [("patterns-a", "1")])
    assert host.read("/public/" + first.items[0].path) == b"one"
    assert files.fetch().result is Result.CURRENT
    assert files.published() == first
    (folder / "patterns/a.dat").write_text("two")
    assert files.fetch().result is Result.UPDATED
    assert (manifest(host).version, content(host, "patterns/a.dat")) == ("2", b"two")


def test_a_directory_may_say_its_own_version(source: Callable[..., Source], host: LocalHost, folder: Path) -> None:
    (folder / "VERSION").write_text("2026.10\n")
    files = source(files={"directory": "/upstream"})
    files.fetch()
    assert manifest(host).version == "2026.10"
    assert [file.path for file in manifest(host).files] == ["patterns/a.dat"]
    (folder / "patterns/a.dat").write_text("two")
    assert files.fetch().result is Result.UPDATED
    assert manifest(host).version == "2026.11", "other content under the same version would reach nobody"


def components(host: LocalHost) -> dict[str, tuple[str, Kind, set[str]]]:
    """Version, kind and paths of each published component."""
    files = manifest(host).files
    names = {file.component: (file.version, file.kind) for file in files}
    return {name: (*told, {file.path for file in files if file.component == name}) for name, told in names.items()}


def test_rules_without_any_declaration_are_one_component_of_kind_pattern(
    source: Callable[..., Source], host: LocalHost
) -> None:
    """What people try first: a directory with rule files in it, here with what git keeps beside them."""
    rules = Path(host.real("/srv/rules"))
    for name in ("a.yar", "b.yar", "more/c.yar", ".git/config", "more/.git"):
        (rules / name).parent.mkdir(parents=True, exist_ok=True)
        (rules / name).write_text("rule a {}")
    files = source(files={"directory": "/srv/rules"})
    assert files.fetch().result is Result.UPDATED
    assert components(host) == {"rules": ("1", Kind.PATTERN, {"a.yar", "b.yar", "more/c.yar"})}
    (rules / "VERSION").write_text("2026.11\n")
    (rules / "more/c.yar").unlink()
    assert files.fetch().result is Result.UPDATED
    assert components(host) == {"rules": ("2026.11", Kind.PATTERN, {"a.yar", "b.yar"})}, "one version for all of it"


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ({"directory": "/srv/rules/"}, "rules"),
        ({"url": "https://example.com/dl/Rules-1.2.tar.gz?key=x"}, "Rules-1.2"),
        ({"url": "https://example.com/"}, "files"),
        ({"git": "https://git.example.com/soc/yara-rules.git"}, "yara-rules"),
        ({"git": "/srv/git/yara"}, "yara"),
        ({"git": "ssh://git@example.com/regeln_für_alle"}, "regeln_f-r_alle"),
    ],
)
def test_a_component_is_named_after_its_source(source: Any, place: dict[str, str], name: str) -> None:
    assert Declaration(component_name(source(files=place)._source)).place_of("a.yar") == (name, Kind.PATTERN)


def test_a_layout_declares_kinds_and_components(source: Callable[..., Source], host: LocalHost, folder: Path) -> None:
    for name in ("patterns/a.idx", "patterns/set/1.yar", "patterns/set/2.yar", "engines/scan/lib/e.so", "programs/p"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "notes.txt").write_text("about the rest")
    source(files={"directory": "/upstream"}).fetch()
    assert components(host) == {
        "patterns-a": ("1", Kind.PATTERN, {"patterns/a.dat", "patterns/a.idx"}),
        "patterns-set": ("1", Kind.PATTERN, {"patterns/set/1.yar", "patterns/set/2.yar"}),
        "engines-scan": ("1", Kind.ENGINE, {"engines/scan/lib/e.so"}),
        "programs-p": ("1", Kind.PROGRAM, {"programs/p"}),
        "upstream": ("1", Kind.PATTERN, {"notes.txt"}),
    }
    (folder / "patterns/a.idx").write_text("new")
    source(files={"directory": "/upstream"}).fetch()
    versions = {name: version for name, (version, _kind, _paths) in components(host).items()}
    assert versions == {**dict.fromkeys(versions, "1"), "patterns-a": "2"}, "a component has one version"


def test_a_small_file_declares_more(source: Callable[..., Source], host: LocalHost, folder: Path) -> None:
    (folder / "bin").mkdir()
    (folder / "bin/scan").write_text("program")
    (folder / "b.yar").write_text("rule b {}")
    declared = {"scanner": {"kind": "engine", "paths": ["bin/"]}, "late": {"paths": ["*.late"]}}
    (folder / "epp-components.json").write_text(json.dumps(declared))
    files = source(files={"directory": "/upstream"})
    outcome = files.fetch()
    assert (outcome.result, outcome.why) == (Result.UPDATED, "epp-components.json: no file belongs to late")
    first = components(host)
    assert first == {
        "patterns-a": ("1", Kind.PATTERN, {"patterns/a.dat"}),
        "scanner": ("1", Kind.ENGINE, {"bin/scan"}),
        "upstream": ("1", Kind.PATTERN, {"b.yar"}),
    }
    assert files.fetch().result is Result.CURRENT
    (folder / "epp-components.json").write_text(json.dumps({"scanner": {"kind": "program", "paths": ["bin/*"]}}))
    assert files.fetch().result is Result.UPDATED, "what is declared counts, too"
    assert components(host) == {**first, "scanner": ("2", Kind.PROGRAM, {"bin/scan"})}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "epp-components.json: null is not a JSON object"),
        ("[]", "epp-components.json: an empty list is not a JSON object"),
        ('{"a b": {"paths": ["x"]}}', "is not a name of at most 100 letters"),
        ('{"a": {}}', "epp-components.json.a.paths: missing"),
        ('{"a": {"kind": "patern", "paths": ["x"]}}', 'a.kind: "patern" is not pattern, engine or program \\(did you'),
        ('{"a": {"paths": ["/etc/x"]}}', r"a.paths\[0\]: .* is not a relative path"),
        ('{"a": {"path": ["x"], "paths": ["x"]}}', "is not a known key .did you mean paths"),
    ],
)
def test_a_wrong_declaration_is_refused_with_the_place(
    source: Callable[..., Source], host: LocalHost, folder: Path, content: str, why: str
) -> None:
    (folder / "epp-components.json").write_text(content)
    outcome = source(files={"directory": "/upstream"}).fetch()
    assert outcome.result is Result.FAILED
    assert re.search(why, outcome.why), outcome.why
    assert not host.exists("/public/components/x/manifest.json")


@pytest.mark.parametrize("what", ["gone", "empty", "a link", "a linked directory", "a bad name"])
def test_a_directory_that_cannot_be_published_changes_nothing(
    source: Callable[..., Source], host: LocalHost, folder: Path, what: str
) -> None:
    files = source(files={"directory": "/upstream"})
    files.fetch()
    before = host.read("/public/components/x/manifest.json")
    if what in ("gone", "empty"):
        shutil.rmtree(folder)
    if what == "empty":
        folder.mkdir()
    if what == "a link":
        (folder / "secret").symlink_to("/etc/shadow")
    if what == "a linked directory":
        (folder / "secret").symlink_to("/etc")
    if what == "a bad name":
        (folder / "a\nb").write_text("x")
    assert files.fetch().result is Result.FAILED
    assert host.read("/public/components/x/manifest.json") == before
    assert content(host, "patterns/a.dat") == b"one"


@pytest.mark.parametrize("what", ["written meanwhile", "a link", "a linked directory", "a pipe"])
def test_what_is_swapped_while_it_is_read_is_published_nowhere(tmp_path: Path, folder: Path, what: str) -> None:
    secret = tmp_path / "keys"
    secret.mkdir()
    (secret / "a.dat").write_text("one")
    file = ManifestFile("patterns/a.dat", "a", "1", Kind.PATTERN, 3, hashlib.sha256(b"one").hexdigest(), 0)
    if what == "written meanwhile":
        (folder / "patterns/a.dat").write_text("two")
    if what == "a linked directory":
        shutil.rmtree(folder / "patterns")
        (folder / "patterns").symlink_to(secret)
    if what in ("a link", "a pipe"):
        (folder / "patterns/a.dat").unlink()
    if what == "a link":
        (folder / "patterns/a.dat").symlink_to(secret / "a.dat")
    if what == "a pipe":
        os.mkfifo(folder / "patterns/a.dat")
    with pytest.raises((InvalidManifest, OSError)):
        store(str(folder), file, str(tmp_path / "public"))
    assert [path for path in (tmp_path / "public").rglob("*") if not path.is_dir()] == []


@pytest.mark.parametrize("kind", ["link", "fifo", "directory"])
def test_a_version_is_read_from_a_regular_file_alone(
    source: Callable[..., Source], host: LocalHost, folder: Path, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "key").write_text("secret")
    plant(kind, folder / "VERSION", tmp_path / "key")
    outcome = source(files={"directory": "/upstream"}).fetch()
    assert outcome.result is (Result.UPDATED if kind == "directory" else Result.FAILED)
    assert "secret" not in str(host.read("/public/components/x/manifest.json"))


@as_root
def test_a_source_behind_a_link_of_its_owners_is_not_published(source: Callable[..., Source], host: LocalHost) -> None:
    """Whoever may fill a directory could publish the server's keys."""
    with machine() as base:
        (base / "rules").mkdir()
        os.chown(base / "rules", USER, USER)
        (base / "keys").mkdir()
        (base / "keys/signing").write_text("secret")
        by_the_other(lambda: (base / "rules/set").symlink_to(base / "keys"))
        outcome = publish_folder(host, str(base / "rules/set"), Workplace("/work", "/public/x", "x"), source="set")
    assert outcome.result is Result.FAILED
    assert f"{base}/rules/set is a symbolic link" in outcome.why
    assert not host.exists("/public/x/manifest.json")


def test_a_damaged_object_is_replaced(source: Callable[..., Source], host: LocalHost, folder: Path) -> None:
    files = source(files={"directory": "/upstream"})
    files.fetch()
    Path(host.real("/public/components/x"), manifest(host).files[0].object_path).write_text("0ne")
    (folder / "patterns/b.dat").write_text("new")
    assert files.fetch().result is Result.UPDATED
    assert content(host, "patterns/a.dat") == b"one"


def test_objects_of_older_versions_stay_for_a_day(source: Callable[..., Source], host: LocalHost, folder: Path) -> None:
    files = source(files={"directory": "/upstream"})
    files.fetch()
    objects = Path(host.real("/public/components/x/objects"))
    (first,) = [path for path in objects.rglob("*") if path.is_file()]
    (folder / "patterns/a.dat").write_text("two")
    files.fetch()
    (folder / "patterns/a.dat").write_text("three")
    files.fetch()
    assert first.exists()
    os.utime(first, (1e9, 1e9))
    (folder / "patterns/a.dat").write_text("four")
    files.fetch()
    assert not first.exists()
    assert len([path for path in objects.rglob("*") if path.is_file()]) == 3


def test_an_archive_behind_a_url_is_asked_for_conditionally(
    source: Callable[..., Source], host: LocalHost, server: ScriptedServer
) -> None:
    archive = Path(server.folder) / "rules.tar.gz"
    archive.write_bytes(tar({"patterns/a.dat": b"one"}))
    os.utime(archive, (1e9, 1e9))
    files = source(files={"url": f"{server.url}/rules.tar.gz"})
    assert files.fetch().result is Result.UPDATED
    assert files.fetch().result is Result.CURRENT
    archive.write_bytes(tar({"patterns/a.dat": b"two"}))
    assert files.fetch().result is Result.UPDATED
    assert [status for _path, status in server.seen()] == [200, 304, 200]
    assert content(host, "patterns/a.dat") == b"two"
    assert not host.exists("/work/staging")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(404), Result.FAILED),
        (Answer(429, headers={"Retry-After": "600"}), Result.COOLING_DOWN),
        (Answer(429, headers={"Retry-After": "\u00b2"}), Result.COOLING_DOWN),
        (Answer(403), Result.COOLING_DOWN),
        (Answer(200, b"x" * 1000, body_cut=10), Result.UNREACHABLE),
        (Answer(200, b"no archive at all"), Result.FAILED),
    ],
)
def test_a_url_that_gives_no_archive_changes_nothing(
    source: Callable[..., Source], host: LocalHost, server: ScriptedServer, answer: Answer, expected: Result
) -> None:
    (Path(server.folder) / "rules.zip").write_bytes(tar({"patterns/a.dat": b"one"}))
    files = source(files={"url": f"{server.url}/rules.zip"})
    files.fetch()
    server.always(answer)
    outcome = files.fetch()
    assert outcome.result is expected
    if answer.headers.get("Retry-After") == "600":
        assert abs((outcome.until or 0) - host.now() - 600) < 60
    assert content(host, "patterns/a.dat") == b"one"
    server.script = None
    assert files.fetch().result is Result.CURRENT


def test_what_reaches_no_server_is_told_as_such(source: Callable[..., Source], server: ScriptedServer) -> None:
    """For the vendor's limit: no name, or nobody who listens, costs nothing; a redirect to nowhere was an answer."""
    assert not source(files={"url": "http://nosuch.invalid/rules.zip"}).fetch().reached
    server.always(Answer(302, b"", {"Location": "http://nosuch.invalid/rules.zip"}))
    outcome = source(files={"url": f"{server.url}/rules.zip"}).fetch()
    assert (outcome.result, outcome.reached) == (Result.UNREACHABLE, True)
    server.always(Answer(404))
    assert source(files={"url": f"{server.url}/rules.zip"}).fetch().reached
    server.stop()
    assert not source(files={"url": f"{server.url}/rules.zip"}).fetch().reached


def test_a_program_fills_the_directory(source: Callable[..., Source], host: LocalHost, tmp_path: Path) -> None:
    upstream = tmp_path / "upstream"
    upstream.write_text("7")
    script = f"import shutil, sys; shutil.copy({str(upstream)!r}, sys.argv[1] + '/engine.bin')"
    fetch = [sys.executable, "-c", script, "{directory}"]
    version = ["/bin/cat", "{directory}/engine.bin"]
    command = source(command={"fetch": fetch, "version": version})
    assert command.fetch().result is Result.UPDATED
    assert components(host) == {"command": ("7", Kind.PATTERN, {"engine.bin"})}
    assert command.fetch().result is Result.CURRENT
    upstream.write_text("8")
    assert command.fetch().result is Result.UPDATED
    assert manifest(host).version == "8"
    upstream.unlink()
    outcome = command.fetch()
    assert (outcome.result, manifest(host).version) == (Result.FAILED, "8")
    assert "exit code 1" in outcome.why


def test_a_program_that_is_not_there_is_a_failure(source: Callable[..., Source]) -> None:
    assert source(command={"fetch": ["/nowhere/fetch"]}).fetch().result is Result.FAILED
