# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One way to verify a published file, whichever kind it is and whoever looks: size, form, purpose, signature."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import Catalog
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.envelope import Malformed, TooLarge, pack
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.header import MAX_SIZE
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.policy_tree import PolicyTree
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.shard import Shard
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.signed_document import SignedDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.signed_documents import OtherPurpose, verify_envelope
from ansible_collections.epp.autoupdate.plugins.module_utils._host.ssh_signatures import BadSignature, UnknownKey, sign
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication.key_files import ensure_key

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")
DOCUMENT = b'{"a":1}\nsecond line'
KINDS = (PolicyTree, Shard, Catalog)


class Signing:
    """A host with the keys a and b, and files that they sign; a is trusted."""

    def __init__(self, root: str) -> None:
        self.host = LocalHost(root)
        self.trusted = (ensure_key(self.host, "/keys/a"),)
        ensure_key(self.host, "/keys/b")

    def sealed(self, namespace: str, *, key: str = "a", stated: str = "") -> bytes:
        return pack(DOCUMENT, sign(self.host, DOCUMENT, f"/keys/{key}", namespace), stated or namespace)

    def verify(self, content: bytes, kind: type[SignedDocument]) -> bytes:
        return verify_envelope(self.host, content, self.trusted, kind)


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Signing:
    return Signing(str(tmp_path_factory.mktemp("host")))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_genuine_is_given(signing: Signing, kind: type[SignedDocument]) -> None:
    assert signing.verify(signing.sealed(kind.namespace), kind) == DOCUMENT


WRONG: dict[str, tuple[Callable[[Signing, str], bytes], type[Exception]]] = {
    "too large": (lambda s, namespace: bytes(MAX_SIZE + 1), TooLarge),
    "no form": (lambda s, namespace: DOCUMENT, Malformed),
    "another purpose": (lambda s, namespace: s.sealed("epp-other"), OtherPurpose),
    "another purpose, and it lies": (lambda s, namespace: s.sealed("epp-other", stated=namespace), BadSignature),
    "another key": (lambda s, namespace: s.sealed(namespace, key="b"), UnknownKey),
    "edited": (lambda s, namespace: s.sealed(namespace).replace(b"second", b"third"), BadSignature),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WRONG)
def test_what_is_not_is_told_apart_in_one_line(signing: Signing, way: str, kind: type[SignedDocument]) -> None:
    make, error = WRONG[way]
    with pytest.raises(error) as told:
        signing.verify(make(signing, kind.namespace), kind)
    assert told.type is error
    assert len(str(told.value).splitlines()) == 1
