# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The samples that an update server publishes (G3): named by the signed tree, bounded, mended, and removed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.canonical import sha256_hex
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import Manifest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.samples import LARGEST, manifest_path
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication.signer import public_path

from ..fleet.conftest import DAY, Server

DIRECTORY = "/srv/samples"


@pytest.fixture
def folder(server: Server) -> Path:
    """The directory of the samples, with one of each kind; it is set up and published."""
    real = Path(server.host.real(DIRECTORY))
    for path, content in (("find/mark", b"MARK"), ("clean/sh", b"a shell"), ("find/.hidden", b"")):
        (real / path).parent.mkdir(parents=True, exist_ok=True)
        (real / path).write_bytes(content)
    server.settings(probe_samples=DIRECTORY)
    server.ask("publish", "--json")
    return real


def published(server: Server) -> dict[str, bytes]:
    """Path and content of each sample, as an endpoint finds them by the signed tree."""
    digest = server.tree().samples
    if not digest:
        return {}
    content = server.host.read(public_path(manifest_path(digest))) or b""
    assert sha256_hex(content) == digest
    found = {}
    for file in Manifest.parse(content).files:
        found[file.path] = server.host.read(public_path(f"samples/{file.object_path}")) or b""
        assert (len(found[file.path]), sha256_hex(found[file.path])) == (file.size, file.sha256)
    return found


def test_the_tree_names_what_the_directory_holds(server: Server, folder: Path) -> None:
    assert published(server) == {"find/mark": b"MARK", "clean/sh": b"a shell"}
    serial = server.tree().header.serial
    assert server.ask("publish", "--json") == {"changed": False, "published": {}}
    (folder / "find" / "mark").write_bytes(b"ANOTHER")
    assert server.ask("publish", "--json")["published"] == {"tree": 1}
    assert published(server)["find/mark"] == b"ANOTHER"
    assert server.tree().header.serial > serial
    last = server.ask("audit", "show", "--last", "1", "--json")["entries"][0]
    assert last["evidence"]["samples"] == server.tree().samples


def test_without_the_setting_nothing_of_it_is_published(server: Server, folder: Path) -> None:
    server.settings()
    server.ask("publish", "--json")
    assert published(server) == {}
    assert b"samples" not in (server.host.read(public_path("configuration/tree.json")) or b"")
    server.forward(2 * DAY)
    objects = Path(server.host.real(public_path("samples/objects")))
    assert [path for path in objects.rglob("*") if path.is_file()]  # for a day, as endpoints have the tree before
    for path in objects.rglob("*"):
        os.utime(path, (0, 0))
    server.ask("publish", "--json")
    assert not [path for path in objects.rglob("*") if path.is_file()]


def test_what_was_named_before_stays_for_a_day(server: Server, folder: Path) -> None:
    before = server.tree().samples
    for path in Path(server.host.real(public_path("samples"))).rglob("*"):
        os.utime(path, (0, 0))  # published long ago
    (folder / "clean" / "sh").write_bytes(b"another shell")
    server.ask("publish", "--json")
    assert server.tree().samples != before
    assert server.host.read(public_path(manifest_path(before))) is not None
    assert server.host.read(public_path(f"samples/objects/{_place(b'a shell')}")) is not None


def _directory(folder: Path) -> None:
    (folder / "find" / "more").mkdir()


def _link(folder: Path) -> None:
    (folder / "find" / "passwd").symlink_to("/etc/passwd")


def _large(folder: Path) -> None:
    with (folder / "clean" / "large").open("wb") as file:
        file.truncate(LARGEST + 1)


def _many(folder: Path) -> None:
    for number in range(65):
        (folder / "clean" / str(number)).write_bytes(b"")


def _no_base64(folder: Path) -> None:
    (folder / "find" / "mark.base64").write_bytes(b"no base64!")


def _gone(folder: Path) -> None:
    folder.rename(folder.with_name("gone"))


def _empty(folder: Path) -> None:
    for path in (folder / "find" / "mark", folder / "clean" / "sh"):
        path.unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_directory, "find/more: not a regular file"),
        (_link, "find/passwd"),
        (_large, f"it has {LARGEST + 1} bytes"),
        (_many, "holds 66 samples, 64 are allowed"),
        (_no_base64, "find/mark.base64: it is not base64"),
        (_gone, "No such file or directory"),
        (_empty, "holds a sample"),
    ],
)
def test_what_can_not_be_published_is_told_and_the_rest_is_published(
    server: Server, folder: Path, spoil: Callable[[Path], None], words: str
) -> None:
    before = published(server)
    server.set("root", {"schedule": {"start": "03:00"}})
    spoil(folder)
    server.forward(10 * DAY)
    status, out, err = server.run("publish", "--json")
    assert (status, json.loads(out)["published"]["tree"]) == (1, 1)
    assert "the samples are published as before" in err
    assert words in err
    assert published(server) == before


def test_a_changed_copy_is_found_mended_and_never_signed(server: Server, folder: Path) -> None:
    named, place = server.tree().samples, public_path(f"samples/objects/{_place(b'MARK')}")
    server.host.write(place, b"altered")
    server.host.write(public_path(manifest_path(named)), b'{"format": 1, "version": "1", "files": []}')
    status, out, _err = server.run("verify", "--json")
    problems = json.loads(out)["problems"]
    assert (status, [one["problem"] for one in problems]) == (1, ["its content is not what the signed tree names"] * 2)
    server.set("root", {"schedule": {"start": "03:00"}})
    assert server.tree().samples == named
    server.ask("publish", "--json")
    assert (server.tree().samples, published(server)["find/mark"]) == (named, b"MARK")
    assert server.run("verify")[0] == 0


def _place(content: bytes) -> str:
    digest = sha256_hex(content)
    return f"{digest[:2]}/{digest}"
