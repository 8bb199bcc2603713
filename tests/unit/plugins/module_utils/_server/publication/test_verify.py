# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`verify` finds each way in which what is published can be wrong, and names the file (C1, C2)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.envelope import pack, unpack
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.header import MAX_SIZE, NAMESPACE
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.shard import SHARDS, file_of
from ansible_collections.epp.autoupdate.plugins.module_utils._host.ssh_signatures import sign
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication.key_files import make_key
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication.signer import public_path

from ..fleet.conftest import DAY, Server

TREE, CATALOG = "configuration/tree.json", "configuration/catalog.json"
MANIFEST = "components/files/manifest.json"


@pytest.fixture
def whole(server: Server) -> Server:
    """A server with everything: a product published, an endpoint, the tree."""
    server.settings(components={"files": {"directory": "/upstream"}}, notify={"notifier": "local"})
    server.host.write("/upstream/patterns/a.dat", b"patterns")
    server.run("fetch")
    server.register("a", domain="emea")
    server.ask("publish", "--json")
    return server


def problems(server: Server) -> list[tuple[str, str]]:
    status, out, err = server.run("verify")
    found = [line.partition(": ") for line in out.splitlines()]
    assert err == ""
    assert status == (0 if found == [("verify", ": ", "no problems found")] else 1)
    return [(file, what) for file, _colon, what in found if file != "verify"]


def path(server: Server, file: str) -> Path:
    return Path(server.host.real(public_path(file)))


def edit(server: Server, file: str, change: Callable[[bytes], bytes]) -> None:
    place = path(server, file)
    place.write_bytes(change(place.read_bytes()))


def resealed(server: Server, file: str, key: str) -> None:
    """The same document, signed by another key of this host."""
    sealed = unpack(path(server, file).read_bytes(), limit=10**7)
    signature = sign(server.host, sealed.document, key, sealed.namespace)
    path(server, file).write_bytes(pack(sealed.document, signature, sealed.namespace))


@pytest.mark.parametrize("shards", [8, pytest.param(SHARDS, marks=pytest.mark.heavy)])
def test_all_is_well(whole: Server) -> None:
    assert problems(whole) == []


@pytest.mark.parametrize("which", ["tree", "shard", "catalog"])
def test_a_document_that_is_gone_edited_or_no_document(whole: Server, which: str) -> None:
    file = {"tree": TREE, "shard": whole.shard_file("a"), "catalog": CATALOG}[which]
    original = path(whole, file).read_bytes()
    edit(whole, file, lambda content: content.replace(b'"serial":', b'"serial":1'))
    ((found, what),) = problems(whole)
    assert (found, what.startswith("bad signature: ")) == (file, True)
    edit(whole, file, lambda _content: original.partition(b"\n")[2])
    ((found, what),) = problems(whole)
    assert (found, what.startswith("malformed: ")) == (file, True)
    path(whole, file).unlink()
    assert problems(whole) == [(file, "missing")]


def test_another_key_or_purpose(whole: Server) -> None:
    shard = whole.shard_file("a")
    make_key(whole.host, "/keys/foreign")
    resealed(whole, shard, "/keys/foreign")
    assert problems(whole) == [(shard, "bad signature: the signature's key is not an allowed one")]
    sealed = unpack(path(whole, CATALOG).read_bytes(), limit=10**7)
    signature = sign(whole.host, sealed.document, f"{paths.KEYS}/signing-1", NAMESPACE)
    path(whole, CATALOG).write_bytes(pack(sealed.document, signature, NAMESPACE))
    found = dict(problems(whole))
    assert found[CATALOG].startswith("bad signature: ")


def test_a_rollback_and_what_the_records_do_not_say(whole: Server) -> None:
    shard = whole.shard_file("a")
    older, first = path(whole, shard).read_bytes(), whole.shard("a").header.serial
    whole.set("endpoint", {"schedule": {"start": "03:00"}}, name="a")
    last = whole.shard("a").header.serial
    path(whole, shard).write_bytes(older)
    assert problems(whole) == [
        (shard, f"its serial is {first}, the last one on record is {last}"),
        (shard, "it does not say what the records say"),
    ]


def test_a_shard_in_the_place_of_another(whole: Server) -> None:
    """Both are signed, of one serial, and without endpoints; an endpoint looks at the number."""
    numbers = [number for number in range(whole.shards) if file_of(number) != whole.shard_file("a")]
    first, second = (file_of(number) for number in numbers[:2])
    path(whole, first).write_bytes(path(whole, second).read_bytes())
    assert problems(whole) == [(first, "it does not say what the records say")]


def test_what_no_endpoint_would_take_for_its_size(whole: Server) -> None:
    edit(whole, TREE, lambda content: content + bytes(MAX_SIZE))
    ((found, what),) = problems(whole)
    assert (found, what.startswith("malformed: it has ")) == (TREE, True)


def test_a_registry_that_was_changed_behind_its_back(whole: Server) -> None:
    with whole.connection() as connection:
        connection.execute("UPDATE endpoints SET ordinal = 7")
        connection.execute("INSERT INTO nodes (path) VALUES ('apac')")
    assert problems(whole) == [
        (TREE, "it does not say what the records say"),
        (whole.shard_file("a"), "it does not say what the records say"),
    ]


@pytest.mark.parametrize("shards", [8, pytest.param(SHARDS, marks=pytest.mark.heavy)])
def test_everything_has_expired(whole: Server, shards: int) -> None:
    whole.forward(15 * DAY)
    found = problems(whole)
    assert len(found) == shards + 2
    assert {what for _file, what in found} == {"it has expired"}
    whole.ask("publish", "--json")
    assert problems(whole) == []


def test_component_files_against_the_catalog(whole: Server) -> None:
    (place,) = [
        one for one in path(whole, "components").rglob("*") if one.is_file() and one.read_bytes() == b"patterns"
    ]
    file = str(place.relative_to(path(whole, "")))
    os.chmod(place, 0o644)
    place.write_bytes(b"patternz")
    assert problems(whole) == [(file, "its content is not what the catalog says")]
    place.write_bytes(b"pattern")
    assert problems(whole) == [(file, "it has 7 bytes, the catalog says 8")]
    place.unlink()
    assert problems(whole) == [(file, "missing, though the catalog has it")]


def test_a_manifest_that_says_something_else_of_the_same_files(whole: Server) -> None:
    """The catalog vouches for its bytes: for the paths, and for the version as a whole."""
    edit(whole, MANIFEST, lambda content: content.replace(b"patterns/a.dat", b"engines/a.data"))
    assert problems(whole) == [
        (CATALOG, "it does not say what the records say"),
        (MANIFEST, "its content is not what the catalog says"),
    ]


def test_a_server_that_never_published(server: Server) -> None:
    assert problems(server) == [(TREE, "nothing was ever published: there is no signing key")]
