# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is published: only what changed, under serials that only grow, signed, in time, and mended (C1, C2, C3)."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import Catalog
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.envelope import pack, unpack
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.header import MAX_SIZE
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.policy_tree import FILE
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.shard import SHARDS, Shard, shard_of
from ansible_collections.epp.autoupdate.plugins.module_utils._host.signed_documents import verify_envelope
from ansible_collections.epp.autoupdate.plugins.module_utils._host.ssh_signatures import BadSignature, UnknownKey
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths, payload
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication.signer import public_path

from ..fleet.conftest import DAY, Server

_KILLS = 24
EARLY = {"schedule": {"start": "03:00"}}


def changed_files(before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    return sorted(name for name in after if before.get(name) != after[name])


@pytest.mark.parametrize("shards", [SHARDS])
def test_the_first_publication_makes_the_tree_all_shards_and_the_catalog(server: Server) -> None:
    told = server.ask("publish", "--json")
    assert told == {"changed": True, "published": {"catalog": 1, "shards": SHARDS, "tree": 1}}
    assert len(server.files()) == SHARDS + 2
    tree = server.tree()
    assert (tree.header.serial, tree.root, tree.domains, tree.shards) == (tree.header.issued, {}, {}, SHARDS)
    assert tree.header.expires - tree.header.issued == 14 * DAY
    assert server.ask("publish", "--json") == {"changed": False, "published": {}}


def test_published_files_are_for_everybody_and_the_rest_for_nobody_else(server: Server) -> None:
    before = os.umask(0o077)
    try:
        server.register("a")
    finally:
        os.umask(before)
    for path in Path(server.host.real(paths.PUBLIC)).rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o755 if path.is_dir() else 0o644)
    assert stat.S_IMODE(os.stat(server.host.real(paths.PUBLIC)).st_mode) == 0o755
    assert stat.S_IMODE(os.stat(server.host.real(paths.STATE_DIRECTORY)).st_mode) == 0o750
    assert stat.S_IMODE(os.stat(server.host.real(paths.KEYS)).st_mode) == 0o700
    for name in ("signing-1", "signing.json"):
        assert stat.S_IMODE(os.stat(server.host.real(f"{paths.KEYS}/{name}")).st_mode) == 0o600


def test_a_root_or_domain_change_signs_the_tree_alone_and_an_endpoints_its_shard(server: Server) -> None:
    server.register("a", "b", domain="emea")
    before, first, first_shard = server.files(), server.tree().header.serial, server.shard("a").header.serial
    server.set("root", EARLY)
    server.set("domain", EARLY, name="emea")
    between = server.files()
    assert changed_files(before, between) == [FILE]
    assert server.tree().header.serial >= first + 2
    assert server.tree().domains == {"emea": EARLY}
    server.set("endpoint", EARLY, name="a")
    assert changed_files(between, server.files()) == [server.shard_file("a")]
    shard = server.shard("a")
    member = shard.membership("a")
    assert member is not None
    assert shard.header.serial > first_shard
    assert (member.domain, member.ordinal, member.policy) == ("emea", 0, EARLY)
    assert server.register("a", address="a.example.com")["published"] == {}


def test_a_change_that_is_taken_back_publishes_each_state(server: Server) -> None:
    server.register("a", domain="emea")
    first = server.shard("a").header.serial
    server.register("a", domain="apac")
    server.register("a", domain="emea")
    assert server.shard("a").header.serial >= first + 2
    gone = server.ask("register", document={"endpoints": [], "purge": True})
    assert gone["published"] == {"shards": 1}
    assert server.shard("a").endpoints == {}


def test_documents_are_issued_anew_in_the_second_half_of_their_life(server: Server, shards: int) -> None:
    server.register("a")
    server.ask("publish", "--json")
    server.forward(6.9 * DAY)
    assert server.ask("publish", "--json")["published"] == {}
    server.forward(0.2 * DAY)
    assert server.ask("publish", "--json")["published"] == {"catalog": 1, "shards": shards, "tree": 1}
    assert server.tree().header.serial == server.tree().header.issued


def test_another_lifetime_is_taken_at_the_next_publication(server: Server, shards: int) -> None:
    server.ask("publish", "--json")
    server.settings(configuration={"lifetime": "2d"})
    assert server.ask("publish", "--json")["published"]["shards"] == shards
    header = server.tree().header
    assert header.expires - header.issued == 2 * DAY
    server.settings(configuration={"lifetime": "2x"})
    status, _out, err = server.run("publish")
    assert (status, err.partition(":")[2].split(":")[0].strip()) == (65, "configuration.lifetime")


@pytest.mark.parametrize("damage", ["remove", "edit", "older", "mode"])
def test_what_was_done_to_published_files_is_found_and_mended(server: Server, damage: str) -> None:
    server.register("a")
    file = server.shard_file("a")
    older, path = server.host.read(public_path(file)) or b"", server.host.real(public_path(file))
    server.set("endpoint", EARLY, name="a")
    serial = server.shard("a").header.serial
    if damage == "remove":
        os.unlink(path)
    elif damage == "mode":
        os.chmod(path, 0o600)
    else:
        Path(path).write_bytes(older if damage == "older" else Path(path).read_bytes() + b" ")
    assert server.ask("publish", "--json")["published"]["shards"] == 1
    assert server.shard("a").header.serial > serial
    assert os.stat(path).st_mode & 0o777 == 0o644


def test_serials_grow_even_when_an_older_database_came_back(server: Server) -> None:
    server.register("a")
    older = server.host.read(paths.DATABASE) or b""
    for start in ("01:00", "02:00", "03:00"):
        server.set("root", {"schedule": {"start": start}})
    serial = server.tree().header.serial
    for suffix in ("-wal", "-shm"):
        server.host.remove(paths.DATABASE + suffix)
    server.host.write(paths.DATABASE, older)
    server.ask("publish", "--json")
    assert server.tree().header.serial > serial
    assert server.tree().root == {}


@pytest.mark.parametrize("whole", [True, False], ids=["with what is published", "records alone"])
def test_a_server_that_was_brought_back_goes_on(server: Server, tmp_path: Path, whole: bool) -> None:
    """C4: nothing that endpoints have adopted is undercut, although nobody knows any more what that was."""
    server.register("a")
    server.ask("publish", "--json")
    kept = [paths.STATE_DIRECTORY, *([paths.PUBLIC] if whole else [])]
    for directory in kept:
        shutil.copytree(server.host.real(directory), tmp_path / "backup" / directory[1:])
    for start in ("01:00", "02:00", "03:00"):
        server.set("root", {"schedule": {"start": start}})
    adopted, catalog = server.tree().header.serial, _serial(server, "catalog.json")
    assert server.ask("publish", "--json")["changed"] is False
    for directory in kept:
        shutil.rmtree(server.host.real(directory))
        shutil.copytree(tmp_path / "backup" / directory[1:], server.host.real(directory))
    server.forward(5)
    told = server.ask("publish", "--json")["published"]
    assert told == {"catalog": 1, "shards": server.shards, "tree": 1}
    assert server.tree().header.serial > adopted
    assert server.tree().root == {}
    assert _serial(server, "catalog.json") > catalog
    assert server.ask("publish", "--json")["changed"] is False, "once"


def _serial(server: Server, name: str) -> int:
    (content,) = [content for path, content in server.files().items() if path.endswith(name)]
    return int(json.loads(unpack(content, limit=10**8).document)["serial"])


def test_a_clock_that_runs_behind_lowers_no_serial_and_a_person_can_name_one(server: Server) -> None:
    server.register("a")
    serial = server.tree().header.serial
    server.forward(-400 * DAY)
    server.set("root", EARLY)
    assert server.tree().header.serial == serial + 1
    assert server.ask("publish", "--anew", "--above", str(serial + 1000), "--json")["published"]["tree"] == 1
    assert server.tree().header.serial == serial + 1001
    assert server.shard("a").header.serial == serial + 1001
    for bad in (["--above", "7"], ["--anew", "--above", "-1"], ["--anew", "--above", str(2**60)]):
        status, _out, err = server.run("publish", *bad)
        assert (status, "--above" in err) == (1, True)


@pytest.mark.parametrize("content", [b"not a database, but long enough to be looked at" * 100, None])
def test_a_damaged_database_is_told_with_its_path_and_what_to_do(server: Server, content: bytes | None) -> None:
    server.register(*(f"n{number}" for number in range(50)))
    path = Path(server.host.real(paths.DATABASE))
    for suffix in ("-wal", "-shm"):
        server.host.remove(paths.DATABASE + suffix)
    whole = path.read_bytes()
    path.write_bytes(content if content is not None else whole[:4096] + b"\xff" * (len(whole) - 4096))
    for command in (["status"], ["endpoints"], ["publish"]):
        status, _out, err = server.run(*command)
        assert (status, paths.DATABASE in err, "epp.autoupdate.site" in err) == (1, True, True), err
    if content is not None:
        assert path.read_bytes() == content


def test_what_a_killed_server_left_is_completed_by_the_next_call(server: Server) -> None:
    """Killed between the change and its publication: as a command that dies there leaves it."""
    server.register("a", domain="emea")
    with server.connection() as connection:
        connection.execute("UPDATE endpoints SET domain = 'apac' WHERE name = 'a'")
        connection.execute("INSERT INTO dirty VALUES (?)", (f"shard-{shard_of('a', server.shards)}",))
    assert server.set("root", EARLY)["published"] == {"shards": 1, "tree": 1}
    assert server.shard("a").endpoints["a"]["domain"] == "apac"


@pytest.mark.heavy
@pytest.mark.parametrize("shards", [SHARDS])
def test_a_server_killed_at_any_moment_never_uses_a_serial_twice(server: Server, tmp_path: Path) -> None:
    """A real process of the built program is killed over and over while it registers; every file it ever published
    is kept by serial, and the last call always completes."""
    program = tmp_path / "epp-server"
    program.write_bytes(payload.build(payload.sources(), interpreter=sys.executable))
    server.ask("publish", "--json")
    seen: dict[tuple[str, int], bytes] = {}
    begun = time.monotonic()
    assert _registering(server, program, "first").wait() == 0
    whole = time.monotonic() - begun
    for attempt in range(_KILLS):
        process = _registering(server, program, f"n{attempt}", f"{attempt + 1}m")
        time.sleep(whole * (attempt + 1) / _KILLS)
        process.kill()
        process.wait()
        _remember(server, seen)
    server.register("last")
    _remember(server, seen)
    assert server.ask("verify", "--json") == {"problems": []}
    known = {one["name"] for one in server.ask("endpoints", "--json")}
    for name in known:
        assert name in server.shard(name).endpoints


def _registering(server: Server, program: Path, name: str, window: str = "1h") -> subprocess.Popen[bytes]:
    document = {"endpoints": [{"name": name}], "root": {"schedule": {"window": window}}}
    given = program.with_name("given.json")
    given.write_text(json.dumps(document))
    command = [sys.executable, "-I", str(program), "--root", server.host.root, "register"]
    env = {**os.environ, "TMPDIR": str(program.parent)}  # who is killed leaves there what it was signing
    with given.open("rb") as stream:
        return subprocess.Popen(command, stdin=stream, stdout=subprocess.DEVNULL, env=env)


def _remember(server: Server, seen: dict[tuple[str, int], bytes]) -> None:
    """Under one serial there is one document, for ever."""
    for name, content in server.files().items():
        serial = json.loads(unpack(content, limit=10**8).document)["serial"]
        assert seen.setdefault((name, serial), content) == content


def test_a_rotation_keeps_every_endpoint_that_follows(server: Server, shards: int) -> None:
    server.register("a")
    (first,) = server.signers()
    serial = server.shard("a", first).header.serial
    assert server.ask("keys", "rotate", "--json")["published"] == {"tree": 1, "catalog": 1}
    _first, second = server.tree(first).signers
    assert server.shard("a", first).header.serial == serial
    told = server.ask("keys", "rotate", "--json")["published"]
    assert told == {"catalog": 1, "shards": shards, "tree": 1}
    assert server.tree(first, second).signers == (second, first)
    server.shard("a", second)
    with pytest.raises(UnknownKey):
        server.tree(first)
    server.forward(29 * DAY)
    server.ask("publish", "--json")
    assert server.tree(second).signers == (second, first)
    server.forward(2 * DAY)
    assert server.ask("publish", "--json")["published"] == {"tree": 1}
    assert server.tree(second).signers == (second,)
    assert not server.host.exists(f"{paths.KEYS}/signing-1")
    assert server.ask("verify", "--json") == {"problems": []}


def test_an_announced_key_follows_by_itself(server: Server) -> None:
    server.ask("keys", "rotate", "--json")
    first, second = server.signers()
    server.forward(29 * DAY)
    server.ask("publish", "--json")
    assert server.tree(first).signers == (first, second)
    server.forward(2 * DAY)
    server.ask("publish", "--json")
    assert server.tree(second).signers == (second, first)
    _status, out, _err = server.run("keys", "show")
    assert [line.split()[:2] for line in out.splitlines()] == [["signing-1", "old"], ["signing-2", "current"]]


def test_keys_that_nobody_names_are_leftovers_and_a_lost_ring_is_not_guessed(server: Server) -> None:
    server.ask("publish", "--json")
    server.host.write(f"{paths.KEYS}/signing-2", b"half", mode=0o600)
    server.ask("publish", "--json")
    assert not server.host.exists(f"{paths.KEYS}/signing-2")
    (first,) = server.signers()
    server.host.remove(paths.KEYRING)
    server.ask("publish", "--json")
    assert server.signers() == (first,)
    server.host.write(paths.KEYRING, b"{", mode=0o600)
    status, _out, err = server.run("publish")
    assert (status, "restore it from a backup" in err) == (1, True)


def test_keys_show_makes_none(server: Server) -> None:
    assert server.run("keys", "show")[1] == "keys: there is none yet, the first publication makes it\n"
    assert not server.host.exists(paths.KEYS)


def test_enrollment_makes_no_keys_when_it_only_checks(server: Server) -> None:
    server.settings(web={"url": "https://updates.example.com/epp/"})
    assert server.ask("enrollment", "--check") is None
    assert not server.host.exists(paths.KEYS)
    told = server.ask("enrollment")
    assert server.ask("enrollment", "--check") == told
    server.host.remove(f"{paths.KEYS}/notify")
    assert server.ask("enrollment", "--check") is None


def test_enrollment_tells_what_an_endpoint_has_to_know(server: Server) -> None:
    server.settings(web={"url": "https://updates.example.com/epp/"}, notify={"user": "epp"})
    told = server.ask("enrollment")
    assert (told["url"], told["notify_user"]) == ("https://updates.example.com/epp", "epp")
    assert told["signers"] == list(server.signers())
    assert told["notify_key"].startswith("ssh-ed25519 ")
    assert server.ask("enrollment") == told
    server.settings()
    assert server.run("enrollment")[0] == 65


def test_signatures_of_the_tree_are_not_good_for_the_catalog(server: Server) -> None:
    server.ask("publish", "--json")
    content = server.host.read(public_path("configuration/tree.json")) or b""
    sealed = unpack(content, limit=MAX_SIZE)
    with pytest.raises(BadSignature):
        verify_envelope(server.host, content, server.signers(), Catalog)
    relabelled = pack(sealed.document, sealed.signature, Catalog.namespace)
    with pytest.raises(BadSignature):
        verify_envelope(server.host, relabelled, server.signers(), Catalog)


def test_a_shard_is_read_back(server: Server) -> None:
    server.register("a", policy=EARLY)
    shard = server.shard("a")
    assert Shard.from_bytes(shard.to_bytes()) == shard
