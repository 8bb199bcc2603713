# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The samples with which endpoints probe their protection, published from a directory of the server (G3).

The manifest on record is what the signed tree names. What lies below the public directory is a copy, and mended from
the directory: a changed copy is never signed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from ..._core.canonical import readable_json, sha256_hex
from ..._core.metadata.manifest import InvalidManifest, Manifest, ManifestFile
from ..._core.metadata.samples import (
    CLEAN,
    DIRECTORY,
    FIND,
    LARGEST,
    MOST,
    decoded,
    manifest_path,
    read_sample_manifest,
    sample_file,
    sample_manifest,
)
from ..._core.settings.server import samples_directory
from ..._core.validation.parsers import InvalidValue
from ..._host.filesystem.atomic_files import digest_of
from ..._host.host import Host
from .. import paths
from ..components.objects import opened, prune, retire, store
from ..settings import read_section
from .signer import public_path


def samples_digest(host: Host) -> str:
    """The digest of the manifest of what is published; empty where nothing is."""
    content = host.read(paths.SAMPLES)
    return "" if content is None else sha256_hex(content)


def refresh_samples(host: Host) -> str:
    """Publish what the directory of the settings holds now; returns why what was published stays, or nothing.

    To be called under ``publication_lock``, before the tree is published. Objects that are no longer listed stay for a
    day, for endpoints that have the tree before.
    """
    target, before, known = host.real(public_path(DIRECTORY)), _recorded(host), host.read(paths.SAMPLES)
    try:
        directory = samples_directory(read_section(host, "probe_samples") or "")
        manifest = _manifest(host.real(directory)) if directory else None
        content = b"" if manifest is None else readable_json(manifest.to_dict())
        for file in manifest.files if manifest else ():
            store(host.real(directory), file, target)
    except InvalidValue as unfit:
        return f"probe_samples: {unfit.allowed}"
    except InvalidManifest as error:
        return f"the samples are published as before: {error}"
    except OSError as error:
        return f"the samples are published as before: {error.strerror or error} ({error.filename})"
    if known is not None and known != content:
        host.write(public_path(manifest_path(sha256_hex(known))), known)  # its day begins now
    if manifest is None:
        host.remove(paths.SAMPLES)
    else:
        host.write(public_path(manifest_path(sha256_hex(content))), content)
        host.write(paths.SAMPLES, content, mode=0o640)
    keep = {file.sha256 for file in manifest.files} if manifest else set()
    retire(target, before, keep)
    prune(target, keep | ({sha256_hex(content)} if manifest else set()))
    return ""


def damaged_samples(host: Host) -> Iterator[tuple[str, str]]:
    """Each published file (its path below the public directory) that is not as the manifest says, and how."""
    manifest, digest = _recorded(host), samples_digest(host)
    if manifest is None:
        return
    listed = [(manifest_path(digest), digest)]
    listed += [(f"{DIRECTORY}/{file.object_path}", file.sha256) for file in manifest.files]
    for path, sha256 in listed:
        try:
            if digest_of(host.real(public_path(path))) != sha256:
                yield path, "its content is not what the signed tree names"
        except FileNotFoundError:
            yield path, "missing, though the signed tree names it"


def _recorded(host: Host) -> Manifest | None:
    """The manifest on record; None where there is none, or none that can be read."""
    content = host.read(paths.SAMPLES)
    try:
        return None if content is None else read_sample_manifest(content)
    except InvalidManifest:
        return None


def _manifest(folder: str) -> Manifest:
    """The samples of a (real) directory; raises InvalidManifest or OSError."""
    found = [one for kind in (FIND, CLEAN) for one in _described(folder, kind)]
    if not found:
        raise InvalidManifest(f"neither {FIND}/ nor {CLEAN}/ of the directory holds a sample")
    return sample_manifest(found)


def _described(folder: str, kind: str) -> Iterator[ManifestFile]:
    """The samples of one kind; names that begin with a dot are none."""
    try:
        names = sorted(name for name in os.listdir(os.path.join(folder, kind)) if not name.startswith("."))
    except FileNotFoundError:
        if not os.path.isdir(folder):
            raise
        return
    if len(names) > MOST:
        raise InvalidManifest(f"{kind}/ holds {len(names)} samples, {MOST} are allowed")
    for name in names:
        path = f"{kind}/{name}"
        with opened(folder, path) as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > LARGEST:
                raise InvalidManifest(f"{path}: it has {size} bytes, {LARGEST} are allowed")
            content = stream.read()
            if decoded(name, content) is None:
                raise InvalidManifest(f"{path}: it is not base64")
            yield sample_file(path, size, sha256_hex(content))
