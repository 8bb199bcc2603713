# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder as a set of published files: what the products ``files`` and ``command`` have in common."""

from __future__ import annotations

from ..._core.canonical import sha256_hex
from ..._core.metadata.catalog import CatalogItem, CatalogManifest
from ..._core.metadata.manifest import NAME, InvalidManifest, Manifest
from ..._core.results import Outcome, Result
from ..._core.settings.endpoint_keys import ProductKind
from ..._host.host import Host
from .base import Published, Workplace
from .declared import FILE as DECLARATION
from .declared import VERSION_FILE, Declaration
from .objects import opened
from .publisher import described, manifest_of, publish, published, unchanged


def publish_folder(host: Host, folder: str, workplace: Workplace, *, source: str, version: str = "") -> Outcome:
    """Publish what a (real) folder holds, unless that is published already; ``source`` names what nothing declares.

    Without a version, the folder's own counts (``VERSION``), and without that the server counts: 1, 2, 3.
    """
    target = host.real(workplace.public)
    host.mkdir(workplace.public)
    try:
        before, declaration = published(target), Declaration.of(folder, source)
        files = described(folder, declaration)
        if not files:
            return Outcome(Result.FAILED, "the source holds no files: what was published stays")
        why = _unused(declaration.unused(file.path for file in files))
        if before is not None and unchanged(files, before):
            return Outcome(Result.CURRENT, why)
        word = version or _own_version(folder) or _next(before.version if before else "0")
        if before is not None and word == before.version:
            word = _next(word)  # other content under the same word would never reach an endpoint
        publish(folder, target, manifest_of(files, word, before))
    except InvalidManifest as error:
        return Outcome(Result.FAILED, f"the source can't be published: {error}")
    except OSError as error:
        return Outcome(Result.FAILED, f"{error.strerror or error} ({error.filename or folder})")
    return Outcome(Result.UPDATED, why)


def published_folder(host: Host, product: ProductKind, workplace: Workplace) -> Published | None:
    """What a folder's set is to readers now."""
    content = host.read(f"{workplace.public}/{NAME}")
    try:
        manifest = None if content is None else Manifest.parse(content)
    except InvalidManifest:
        manifest = None
    if content is None or manifest is None:
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
