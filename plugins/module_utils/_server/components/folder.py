# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder as a set of published files: what the products ``files`` and ``command`` have in common."""

from __future__ import annotations

from ..._core.canonical import readable_json, sha256_hex
from ..._core.metadata.catalog import CatalogItem, CatalogManifest
from ..._core.metadata.manifest import NAME, InvalidManifest, Manifest
from ..._core.results import Outcome, Result
from ..._core.settings.endpoint_keys import ProductKind
from ..._host.host import Host
from .base import Published, Workplace
from .declared import FILE as DECLARATION
from .declared import VERSION_FILE, Declaration
from .objects import opened
from .publisher import described, manifest_of, publish, published, store_objects, unchanged


def publish_folder(host: Host, folder: str, workplace: Workplace, *, source: str, version: str = "") -> Outcome:
    """Publish what a (real) folder holds, unless that is published already; ``source`` names what nothing declares.

    Without a version, the folder's own counts (``VERSION``), and without that the server counts: 1, 2, 3.
    """
    host.mkdir(workplace.public)
    try:
        before, declaration = _before(host, workplace), Declaration.of(folder, source)
        files = described(folder, declaration)
        if not files:
            return Outcome(Result.FAILED, "the source holds no files: what was published stays")
        why = _unused(declaration.unused(file.path for file in files))
        if before is not None and unchanged(files, before):
            return Outcome(Result.CURRENT, why)
        word = version or _own_version(folder) or _next(before.version if before else "0")
        if before is not None and word == before.version:
            word = _next(word)  # other content under the same word would never reach an endpoint
        _put(host, folder, workplace, manifest_of(files, word, before))
    except InvalidManifest as error:
        return Outcome(Result.FAILED, f"the source can't be published: {error}")
    except OSError as error:
        return Outcome(Result.FAILED, f"{error.strerror or error} ({error.filename or folder})")
    return Outcome(Result.UPDATED, why)


def _before(host: Host, workplace: Workplace) -> Manifest | None:
    """The newest version so far; where a rollout has just become staged, it is what everybody has."""
    newest = published(host.real(workplace.newest))
    return published(host.real(workplace.public)) if newest is None and workplace.staged else newest


def _put(host: Host, folder: str, workplace: Workplace, manifest: Manifest) -> None:
    """Publish the newest version, or keep it for the channels that will be offered it."""
    if not workplace.staged:
        publish(folder, host.real(workplace.public), manifest)
        return
    store_objects(folder, host.real(workplace.public), manifest)
    host.mkdir(workplace.newest, mode=0o750)
    host.write(f"{workplace.newest}/{NAME}", readable_json(manifest.to_dict()))


def newest_manifest(host: Host, workplace: Workplace) -> bytes | None:
    """The manifest of the newest version; None where there is none yet."""
    content = host.read(f"{workplace.newest}/{NAME}")
    return host.read(f"{workplace.public}/{NAME}") if content is None and workplace.staged else content


def published_folder(host: Host, product: ProductKind, workplace: Workplace) -> Published | None:
    """What a folder's set is to readers now; where the rollout is staged, what its newest version would be."""
    content = newest_manifest(host, workplace)
    return None if content is None else published_as(content, product, workplace)


def published_as(content: bytes, product: ProductKind, workplace: Workplace) -> Published | None:
    """What readers find under a manifest; None for what is none."""
    try:
        manifest = Manifest.parse(content)
    except InvalidManifest:
        return None
    items = [
        CatalogItem(
            product=product.value,
            name=file.component,
            version=file.version,
            kind=file.kind,
            size=file.size,
            sha256=file.sha256,
            path=f"{workplace.path}/{file.object_path}",
        )
        for file in manifest.files
    ]
    listing = CatalogManifest(product.value, len(content), sha256_hex(content), f"{workplace.path}/{NAME}")
    return Published(manifest.version, tuple(items), listing)


def _unused(components: list[str]) -> str:
    return f"{DECLARATION}: no file belongs to {', '.join(components)}" if components else ""


def _own_version(folder: str) -> str:
    try:
        with opened(folder, VERSION_FILE) as stream:
            return stream.readline(200).decode("utf-8", "replace").strip()
    except (OSError, InvalidManifest):
        return ""


def _next(version: str) -> str:
    """The version after one: its last run of digits counted up, or ``.1`` behind it."""
    head = version.rstrip("0123456789")
    digits = version[len(head) :]
    return f"{head}{int(digits) + 1}" if digits else f"{version}.1"
