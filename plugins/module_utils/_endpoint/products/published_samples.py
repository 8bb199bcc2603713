# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The samples that the update server publishes, as this endpoint has verified them (G3).

The adopted tree names the manifest by its digest, and the manifest the samples: what is here already costs no request.
A set counts once all of it is here. Until then, and where the server gives something else, the one before counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..._core.canonical import sha256_hex
from ..._core.metadata.manifest import InvalidManifest, Manifest, ManifestFile
from ..._core.metadata.samples import DIRECTORY, LARGEST, MAX_SIZE, manifest_path, read_sample_manifest
from ..._core.metadata.trusted import Enrollment
from ..._core.settings.endpoint import EndpointDocument
from ..._core.settings.update_server import UpdateServer
from ..._core.values import frozen
from ..._host.host import Host
from ..._host.http.errors import SourceError
from .. import paths
from ..source_client import source_client
from ..time_limits import SAMPLES_S
from ..trust.store import ConfigurationStore
from .files.download import fetch

if TYPE_CHECKING:
    from ..._host.http.client import HttpClient

_MANIFEST = paths.SAMPLES + "/manifest.json"
_UNFIT = "it is not what the signed tree names"


class _Refused(Exception):
    """The server does not give what the tree names; the text is one sentence."""


@frozen
class SampleSet:
    """The set that counts now. ``why`` says why it is not the one that is published, or nothing."""

    host: Host
    files: tuple[ManifestFile, ...] = ()
    why: str = ""

    def contents(self) -> Iterator[tuple[ManifestFile, bytes] | str]:
        """Each sample with its content; a text says what is otherwise than published."""
        if self.why:
            yield self.why
        for file in self.files:
            content = verified(self.host, file)
            yield f"the sample {file.path} of the update server is gone" if content is None else (file, content)


@frozen
class PublishedSamples:
    """The samples of the server under one enrollment."""

    host: Host
    server: UpdateServer
    basis: Enrollment

    @classmethod
    def of(cls, document: EndpointDocument, host: Host) -> PublishedSamples | None:
        """None on a standalone endpoint."""
        server = document.server
        return None if server is None else cls(host, server, Enrollment.of(document, server))

    def current(self) -> SampleSet:
        """The set that counts; asks for what is published and not here yet."""
        adopted = ConfigurationStore(self.host).read(self.basis)
        if adopted is None or not adopted.samples:
            self.host.remove(paths.SAMPLES)
            return SampleSet(self.host)
        held = _read(self.host.read(_MANIFEST))
        try:
            return SampleSet(self.host, self._published(adopted.samples).files)
        except (_Refused, SourceError, InvalidManifest, OSError) as error:
            counts = "none of them are here" if held is None else "those of before count"
            why = f"the samples of the update server: {error}; {counts}"
            return SampleSet(self.host, held.files if held is not None else (), why)

    def _published(self, digest: str) -> Manifest:
        """The whole set whose manifest has this digest; raises what ``current`` tells."""
        known = self.host.read(_MANIFEST)
        client = source_client(self.host, SAMPLES_S)
        content = known if known is not None and sha256_hex(known) == digest else self._asked(client, digest)
        manifest = read_sample_manifest(content)
        self.host.mkdir(paths.SAMPLES, mode=0o700)
        for file in manifest.files:
            if verified(self.host, file) is None:
                fetch(client, f"{self.server.url}/{DIRECTORY}", file, self.host.real(paths.SAMPLES))
        if content != known:
            self.host.write(_MANIFEST, content, mode=0o600)
        listed = {file.sha256 for file in manifest.files}
        for name in set(self.host.names(paths.SAMPLES)) - listed - {_MANIFEST.rpartition("/")[2]}:
            self.host.remove(f"{paths.SAMPLES}/{name}")
        return manifest

    def _asked(self, client: HttpClient, digest: str) -> bytes:
        answer = client.get(f"{self.server.url}/{manifest_path(digest)}")
        content = answer.content(MAX_SIZE)
        if sha256_hex(content) != digest:
            raise _Refused(f"their manifest: {_UNFIT}")
        return content


def verified(host: Host, file: ManifestFile) -> bytes | None:
    """A sample as the manifest names it; None where it is not here, or altered."""
    content = host.peek(f"{paths.SAMPLES}/{file.sha256}", LARGEST + 1)
    return content if content is not None and sha256_hex(content) == file.sha256 else None


def _read(content: bytes | None) -> Manifest | None:
    try:
        return None if content is None else read_sample_manifest(content)
    except InvalidManifest:
        return None
