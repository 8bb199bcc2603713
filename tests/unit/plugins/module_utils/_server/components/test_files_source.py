# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sources ``files`` and ``command``: real folders, archives, repositories and programs."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.component_settings import read_components
from ansible_collections.epp.autoupdate.plugins.module_utils._core.manifest import (
    InvalidManifest,
    Kind,
    Manifest,
    ManifestFile,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result
from ansible_collections.epp.autoupdate.plugins.module_utils._host.live_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.process import Completed
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components import select_source
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.archives import (
    InvalidArchive,
    unpack,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.base import Source, Workplace
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.declared import (
    Declaration,
    component_name,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.folder import publish_folder
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.objects import store
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.scripted_server import (
    Answer,
    ScriptedServer,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.others import (
    USER,
    as_root,
    by_the_other,
    machine,
    plant,
)


@pytest.fixture
def host(tmp_path: Path) -> LocalHost:
    (tmp_path / "root").mkdir()
    return LocalHost(str(tmp_path / "root"))


@pytest.fixture
def source(host: LocalHost) -> Callable[..., Source]:
    def make(**settings: Any) -> Source:
        product, read = next(iter(read_components(settings).items()))
        return select_source(product, read, host, Workplace("/work", "/public/components/x", "components/x"))

    return make


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ScriptedServer]:
    (tmp_path / "www").mkdir()
    served = ScriptedServer(str(tmp_path / "www"))
    yield served
    served.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one pattern file; inside the host's root, where settings name it as /upstream."""
    made = tmp_path / "root/upstream"
    (made / "patterns").mkdir(parents=True)
    (made / "patterns/a.dat").write_text("one")
    return made


def manifest(host: LocalHost) -> Manifest:
    return Manifest.parse(host.read("/public/components/x/manifest.json") or b"")


def content(host: LocalHost, path: str) -> bytes:
    (file,) = [file for file in manifest(host).files if file.path == path]
    return host.read(f"/public/components/x/{file.object_path}") or b""


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


def tar(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def test_an_archive_behind_a_url_is_asked_for_conditionally(
    source: Callable[..., Source], host: LocalHost, server: ScriptedServer
) -> None:
    archive = Path(server.folder) / "rules.tar.gz"
    archive.write_bytes(tar({"patterns/a.dat": b"one"}))
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
    assert not source(files={"url": "http://nosuch.invalid/rules.zip"}).fetch().asked
    server.always(Answer(302, b"", {"Location": "http://nosuch.invalid/rules.zip"}))
    outcome = source(files={"url": f"{server.url}/rules.zip"}).fetch()
    assert (outcome.result, outcome.asked) == (Result.UNREACHABLE, True)
    server.always(Answer(404))
    assert source(files={"url": f"{server.url}/rules.zip"}).fetch().asked
    server.stop()
    assert not source(files={"url": f"{server.url}/rules.zip"}).fetch().asked


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", "", "a\\..\\out"])
def test_an_archive_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "archive"
    archive.write_bytes(tar({name or ".": b"x"}))
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(InvalidArchive):
        unpack(str(archive), str(target))
    assert os.listdir(target) == []
    assert sorted(os.listdir(tmp_path)) == ["archive", "target"]


@pytest.mark.parametrize("kind", ["w:gz", "w:bz2", "w:xz", "zip"])
def test_an_archive_that_is_damaged_somewhere_is_refused(tmp_path: Path, kind: str) -> None:
    noise = random.Random(7).randbytes(20_000)
    whole = tar({"x": noise}, kind) if kind != "zip" else zipped({"x": noise})
    for number, place in enumerate(range(0, len(whole), len(whole) // 40)):
        (tmp_path / "archive").write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        (tmp_path / str(number)).mkdir()
        # The one or the other byte means nothing; anything but this refusal is a fault.
        with contextlib.suppress(InvalidArchive):
            unpack(str(tmp_path / "archive"), str(tmp_path / str(number)))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_an_archive_with_anything_but_files_is_refused(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("x")
    member.type, member.linkname = kind, "/etc/shadow"
    with tarfile.open(tmp_path / "archive", "w") as archive:
        archive.addfile(member)
    (tmp_path / "target").mkdir()
    with pytest.raises(InvalidArchive):
        unpack(str(tmp_path / "archive"), str(tmp_path / "target"))


def test_zip_archives_are_taken_too_but_for_their_links(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "good", "w") as archive:
        archive.writestr("patterns/", "")
        archive.writestr("patterns/a.dat", "one")
    (tmp_path / "target").mkdir()
    unpack(str(tmp_path / "good"), str(tmp_path / "target"))
    assert (tmp_path / "target/patterns/a.dat").read_text() == "one"
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "bad", "w") as archive:
        archive.writestr(link, "/etc/shadow")
    with pytest.raises(InvalidArchive, match="link"):
        unpack(str(tmp_path / "bad"), str(tmp_path / "target"))


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=tests", "-c", "user.email=tests@example.com")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.skipif(not shutil.which("git") or os.geteuid() != 0, reason="git is missing, or only root can give away")
def test_a_repository_may_be_somebody_elses_directory(source: Any, folder: Path) -> None:
    """The server's user reads a repository that, say, root keeps."""
    git(folder, "init", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "one")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 65534, 65534, follow_symlinks=False)
    assert source(files={"git": str(folder)}).fetch().result is Result.UPDATED


class _Noting(LocalHost):
    """A host that notes the command lines that every user of it could read."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.lines: list[str] = []

    def run(self, argv: Sequence[str], **more: Any) -> Completed:
        self.lines.append(" ".join(argv))
        return super().run(argv, **more)


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_git_gets_a_password_by_a_file(tmp_path: Path, folder: Path, server: ScriptedServer) -> None:
    git(folder, "init", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "one")
    git(folder, "clone", "--bare", str(folder), f"{server.folder}/rules.git")
    git(Path(f"{server.folder}/rules.git"), "update-server-info")
    granted = f"Basic {base64.b64encode(b'me:hunter/2').decode()}"
    refused = Answer(401, headers={"WWW-Authenticate": 'Basic realm="rules"'})
    server.script = lambda _path, headers: None if headers.get("Authorization") == granted else refused
    host = _Noting(str(tmp_path / "own"))
    for password, result in (("hunter%2F2", Result.UPDATED), ("hunter3", Result.UNREACHABLE)):
        url = f"http://me:{password}@127.0.0.1:{server.port}/rules.git"
        product, read = next(iter(read_components({"files": {"git": url}}).items()))
        outcome = select_source(product, read, host, Workplace("/work", "/public/x", "x")).fetch()
        assert outcome.result is result, outcome.why
        assert "hunter" not in outcome.why
    assert [line for line in host.lines if "hunter" in line] == []
    assert [path for path in (tmp_path / "own").rglob("*") if path.is_file() and b"hunter" in path.read_bytes()] == []


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_a_branch_of_a_repository_is_published_commit_by_commit(
    source: Callable[..., Source], host: LocalHost, folder: Path
) -> None:
    git(folder, "init", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "one")
    files = source(files={"git": str(folder), "branch": "main"})
    assert files.fetch().result is Result.UPDATED
    assert manifest(host).version.startswith("1.g")
    assert [file.path for file in manifest(host).files] == ["patterns/a.dat"]
    assert files.fetch().result is Result.CURRENT
    (folder / "patterns/a.dat").write_text("two")
    assert files.fetch().result is Result.CURRENT, "what is not committed is not published"
    git(folder, "commit", "-am", "two")
    assert files.fetch().result is Result.UPDATED
    assert (manifest(host).version[:3], content(host, "patterns/a.dat")) == ("2.g", b"two")
    (folder / "leak").symlink_to("/etc/shadow")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "three")
    assert files.fetch().result is Result.FAILED
    shutil.rmtree(folder)
    assert files.fetch().result is Result.UNREACHABLE
    assert content(host, "patterns/a.dat") == b"two"


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_a_store_that_was_cut_off_as_it_was_made_is_completed(source: Any, host: LocalHost, folder: Path) -> None:
    git(folder, "init", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "one")
    host.mkdir("/work/repository.git/objects")
    assert source(files={"git": str(folder)}).fetch().result is Result.UPDATED


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
