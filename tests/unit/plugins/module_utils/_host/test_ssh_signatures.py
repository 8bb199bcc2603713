# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A document and its signature in one file, made and checked by the real ssh-keygen."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.envelope import (
    Malformed,
    TooLarge,
    pack,
    unpack,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._host import ssh_signatures
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.ssh_signatures import (
    BadSignature,
    UnknownKey,
    sign,
    sign_all,
    verify,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication.key_files import ensure_key

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")


@pytest.fixture
def host(tmp_path: Path) -> LocalHost:
    made = LocalHost(str(tmp_path))
    ensure_key(made, "/keys/b")
    return made


@pytest.fixture
def allowed(host: LocalHost) -> tuple[str, ...]:
    return (ensure_key(host, "/keys/a"),)


@pytest.mark.parametrize("left", ["c.unfinished", "c.unfinished.pub", "c.pub"])
def test_a_key_that_was_cut_off_as_it_was_made_is_made_anew(host: LocalHost, left: str) -> None:
    """Killed at any moment, or out of disk: where the private key is, the public one belongs to it (C3)."""
    host.write(f"/keys/{left}", b"half a k")
    public = ensure_key(host, "/keys/c")
    verify(host, b"document", sign(host, b"document", "/keys/c", "epp-catalog"), (public,), "epp-catalog")
    assert sorted(os.listdir(host.real("/keys"))) == ["b", "b.pub", "c", "c.pub"]
    assert stat.S_IMODE(os.stat(host.real("/keys/c")).st_mode) == 0o600


def test_what_was_sealed_is_verified(host: LocalHost, allowed: tuple[str, ...]) -> None:
    document = b'{"a":1}\nsecond line'
    sealed = unpack(pack(document, sign(host, document, "/keys/a", "epp-catalog"), "epp-catalog"), limit=10_000)
    assert (sealed.document, sealed.namespace) == (document, "epp-catalog")
    verify(host, sealed.document, sealed.signature, allowed, sealed.namespace)


def test_each_way_to_forge_is_told_apart(host: LocalHost, allowed: tuple[str, ...]) -> None:
    signature = sign(host, b"document", "/keys/a", "epp-catalog")
    with pytest.raises(BadSignature) as changed:
        verify(host, b"documenT", signature, allowed, "epp-catalog")
    with pytest.raises(BadSignature) as purpose:
        verify(host, b"document", signature, allowed, "epp-configuration")
    assert not isinstance(changed.value, UnknownKey)
    assert not isinstance(purpose.value, UnknownKey)
    with pytest.raises(UnknownKey):
        verify(host, b"document", sign(host, b"document", "/keys/b", "epp-catalog"), allowed, "epp-catalog")


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "no signature",
        lambda text: "",
        lambda text: text.replace("BEGIN", "BEGUN"),
        lambda text: text.replace("U1NIU0lH", "!!!!"),
        lambda text: text.replace("U1NIU0lH", "AAAAAAAA"),
        lambda text: "\n".join([text.splitlines()[0], "U1NIU0lHAAAAAf////8=", text.splitlines()[-1]]),
    ],
)
def test_what_is_no_signature_is_a_bad_one(
    host: LocalHost, allowed: tuple[str, ...], damage: Callable[[str], str]
) -> None:
    signature = damage(sign(host, b"document", "/keys/a", "epp-catalog"))
    with pytest.raises(BadSignature) as refused:
        verify(host, b"document", signature, allowed, "epp-catalog")
    assert not isinstance(refused.value, UnknownKey)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"{}\nx", b"[]\nx", b"x\nx", b'{"format":2,"namespace":"n","signature":"s"}\n', b"\xff\nx"]
)
def test_what_is_not_sealed_is_malformed(content: bytes) -> None:
    with pytest.raises(Malformed):
        unpack(content, limit=1000)


def test_the_size_is_looked_at_first() -> None:
    with pytest.raises(TooLarge):
        unpack(b"x" * 11, limit=10)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
def test_more_documents_than_a_command_line_holds_are_signed(
    host: LocalHost, allowed: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(ssh_signatures, "_MOST_AT_ONCE", 2)
    documents = [f"document {number}".encode() for number in range(count)]
    signatures = sign_all(host, documents, "/keys/a", "epp-catalog")
    assert len(signatures) == count
    for document, signature in zip(documents, signatures):
        verify(host, document, signature, allowed, "epp-catalog")
