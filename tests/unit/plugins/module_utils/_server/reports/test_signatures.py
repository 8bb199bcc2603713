# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures are verified by a library or by ssh-keygen: the verdict is the same, whatever somebody makes of them."""

from __future__ import annotations

import base64
from typing import Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report import NAMESPACE
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.ssh_signatures import BadSignature
from ansible_collections.epp.autoupdate.plugins.module_utils._host.sshsig import fields, parse
from ansible_collections.epp.autoupdate.plugins.module_utils._server.reports import signatures
from ansible_collections.epp.autoupdate.plugins.module_utils._server.reports.signatures import (
    Verify,
    by_library,
    by_program,
    select_verify,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import HostKey, document

pytest.importorskip("cryptography")
Keys = dict[str, HostKey]
KINDS = ("ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa")
BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
each_kind = pytest.mark.parametrize("kind", KINDS)


def opened(armored: str) -> bytes:
    return base64.b64decode("".join(armored.splitlines()[1:-1]))


def closed(content: bytes) -> str:
    return "\n".join((BEGIN, base64.b64encode(content).decode(), END, ""))


def string(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


def outcome(verify: Verify, content: bytes, armored: str, key: str) -> str:
    try:
        verify(content, armored, key)
    except BadSignature as error:
        return type(error).__name__
    return "good"


def both(content: bytes, armored: str, key: str) -> tuple[str, str]:
    library = by_library(LocalHost())
    assert library is not None
    return outcome(library, content, armored, key), outcome(by_program(LocalHost()), content, armored, key)


@each_kind
def test_both_believe_what_ssh_keygen_signs_and_nothing_else(keys: Keys, kind: str) -> None:
    key, content = keys[kind], document()
    armored = key.sign(content)
    assert both(content, armored, key.public) == ("good", "good")
    assert both(content + b" ", armored, key.public) == ("BadSignature", "BadSignature")
    assert both(content, armored, keys["other"].public) == ("UnknownKey", "UnknownKey")
    assert both(content, key.sign(content, "file"), key.public) == ("OtherPurpose", "OtherPurpose")


@each_kind
@given(st.data())
@settings(max_examples=25)
def test_both_say_the_same_of_a_mangled_signature(keys: Keys, kind: str, data: st.DataObject) -> None:
    key, content = keys[kind], document()
    whole = opened(_signed(key, content))
    at = data.draw(st.integers(0, len(whole) - 1))
    mangled = data.draw(
        st.sampled_from(
            [
                whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :],
                whole[:at],
                whole[:at] + whole[at + 1 :],
                whole[:at] + b"\0" + whole[at:],
                whole + b"\0",
            ]
        )
    )
    first, second = both(content, closed(mangled), key.public)
    assert first == second
    assert first != "good"


_made: dict[str, str] = {}


def _signed(key: HostKey, content: bytes) -> str:
    """The one signature of a key, which costs a process."""
    return _made.setdefault(key.public, key.sign(content))


def rewritten(armored: str, change: Callable[[list[bytes]], list[bytes]]) -> str:
    """A signature with other parts inside: type and numbers."""
    whole = opened(armored)
    parts = fields(whole[10:], 5)
    parts[4] = b"".join(map(string, change(fields(parts[4], 2))))
    return closed(whole[:10] + b"".join(map(string, parts)))


@pytest.mark.parametrize("kind", [b"ssh-rsa", b"rsa-sha2-256", b"ssh-ed25519", b""])
def test_no_signature_by_another_algorithm_is_believed(keys: Keys, kind: bytes) -> None:
    content = document()
    armored = rewritten(_signed(keys["rsa"], content), lambda parts: [kind, parts[1]])
    assert both(content, armored, keys["rsa"].public) == ("BadSignature", "BadSignature")


def test_leading_zeros_of_a_number_change_nothing(keys: Keys) -> None:
    """As OpenSSH reads them."""
    content, key = document(), keys["ecdsa256"]

    def longer(parts: list[bytes]) -> list[bytes]:
        return [parts[0], b"".join(string(one if one[:1] == b"\0" else b"\0" + one) for one in fields(parts[1], 2))]

    assert both(content, rewritten(_signed(key, content), longer), key.public) == ("good", "good")


@pytest.mark.parametrize("text", ["", "x", BEGIN + "\n" + END, f"{BEGIN}\n!\n{END}", f"{BEGIN}\nU1NIU0lH\n{END}"])
def test_what_is_no_signature_is_refused_before_anybody_is_asked(text: str) -> None:
    with pytest.raises(BadSignature):
        parse(text)


def test_a_key_of_another_type_than_its_line_says_is_believed_by_nobody(keys: Keys) -> None:
    content = document()
    line = f"ssh-rsa {keys['ed25519'].public.split()[1]}"
    assert "good" not in both(content, _signed(keys["ed25519"], content), line)


def test_without_the_library_the_program_is_asked(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ImportError("cryptography")

    monkeypatch.setattr(signatures, "KeyLibrary", missing)
    assert by_library(LocalHost()) is None
    content = document()
    assert (
        outcome(select_verify(LocalHost()), content, _signed(keys["ed25519"], content), keys["ed25519"].public)
        == "good"
    )
    assert NAMESPACE == "epp-report"
