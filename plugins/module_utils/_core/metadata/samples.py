# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The samples of the probe that an update server publishes (G3): a manifest whose digest the signed tree names.

Below the server's base URL::

    samples/objects/ab/abcd…(64 digits)    the manifest and each sample, named by their SHA-256

The manifest has the form of ``manifest.py``. A path is ``find/NAME`` for a sample that has to be found, ``clean/NAME``
for one in which nothing may be found. So tree, manifest and samples fit together at any moment.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

from .manifest import InvalidManifest, Kind, Manifest, ManifestFile, object_path

DIRECTORY = "samples"
"""Where they lie below the server's base URL."""
FIND, CLEAN = "find", "clean"
MOST = 64
LARGEST = 20 << 20
"""Bytes of a sample; clamd takes 25 MB by default."""
LARGEST_TOTAL = 100 << 20
MAX_SIZE = 64 * 1024
"""Bytes of the manifest."""
ENCODED = ".base64"
"""Ends the name of a sample that is kept in this encoding, so that no scanner takes it for what it is."""
_COMPONENT, _VERSION = "samples", "1"


def sample_file(path: str, size: int, sha256: str) -> ManifestFile:
    """One sample as the manifest lists it."""
    return ManifestFile(path, _COMPONENT, _VERSION, Kind.PATTERN, size, sha256)


def sample_manifest(files: Iterable[ManifestFile]) -> Manifest:
    """The manifest of these samples; raises InvalidManifest for more or larger ones than are allowed."""
    manifest = Manifest.of(_VERSION, files)
    _check(manifest)
    return manifest


def read_sample_manifest(content: bytes) -> Manifest:
    """Read a manifest of samples; raises InvalidManifest."""
    manifest = Manifest.parse(content)
    _check(manifest)
    return manifest


def is_malign(file: ManifestFile) -> bool:
    """Whether a sample has to be found."""
    return file.path.startswith(f"{FIND}/")


def decoded(name: str, content: bytes) -> bytes | None:
    """What a sample of this name is to a scanner; None where it can't be decoded. White space has no say."""
    if not name.endswith(ENCODED):
        return content
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def manifest_path(sha256: str) -> str:
    """Where the manifest with this digest lies below the server's base URL."""
    return f"{DIRECTORY}/{object_path(sha256)}"


def _check(manifest: Manifest) -> None:
    if len(manifest.files) > MOST:
        raise InvalidManifest(f"there are {len(manifest.files)} samples, {MOST} are allowed")
    for file in manifest.files:
        directory, _slash, name = file.path.partition("/")
        if directory not in (FIND, CLEAN) or not name or "/" in name:
            raise InvalidManifest(f"{file.path}: a sample is {FIND}/NAME or {CLEAN}/NAME")
        if file.size > LARGEST:
            raise InvalidManifest(f"{file.path}: it has {file.size} bytes, {LARGEST} are allowed")
    total = sum(file.size for file in manifest.files)
    if total > LARGEST_TOTAL:
        raise InvalidManifest(f"the samples have {total} bytes in all, {LARGEST_TOTAL} are allowed")
