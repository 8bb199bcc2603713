# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contents of a published set, each under its digest, which it keeps for good.

What fills a source may be at work while it is read, and may be somebody else than the server: nothing is read through
a link, and only a copy that has the digest of the manifest is shown to anybody.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from ..._core.metadata.manifest import InvalidManifest, Manifest, ManifestFile
from ..._host.filesystem.atomic_files import has_digest
from ..._host.filesystem.open_directory import NotRegular, write_all
from ..._host.filesystem.safe_paths import open_directory, open_parent

_KEPT_S = 24 * 3600
"""How long the objects of versions that are over stay for readers who hold an older manifest."""
_CHUNK = 1 << 20


@contextmanager
def opened(folder: str, path: str) -> Iterator[IO[bytes]]:
    """A regular file of a folder, on the way to which no link is followed; raises OSError or InvalidManifest."""
    parents, _slash, name = path.rpartition("/")
    try:
        with open_directory(folder) as base, base.descend(parents) as directory:
            descriptor = directory.open(name)
    except (NotRegular, IsADirectoryError):
        raise InvalidManifest(f"{path}: not a regular file") from None
    with open(descriptor, "rb") as stream:
        yield stream


def store(folder: str, file: ManifestFile, target: str) -> None:
    """Copy the content of a listed file to its place below ``target``; raises InvalidManifest if it is another now."""
    parents, _slash, name = file.object_path.rpartition("/")
    with open_directory(target, make=True) as base, base.descend(parents, make=True) as directory:
        if has_digest(directory, name, file.sha256):
            return
        # Until it is known what it is, no web server can read the copy.
        with opened(folder, file.path) as source, directory.replacing(name, mode=0o644) as copy:
            if _copied(source, copy) != file.sha256:
                raise InvalidManifest(f"{file.path}: it changed while it was read")


def _copied(source: IO[bytes], descriptor: int) -> str:
    """Copy what a file holds; returns the SHA-256 of it."""
    content = hashlib.sha256()
    while chunk := source.read(_CHUNK):
        content.update(chunk)
        write_all(descriptor, chunk)
    return content.hexdigest()


def retire(target: str, before: Manifest | None, keep: set[str]) -> None:
    """Mark when the objects that are no longer listed were last needed."""
    for file in before.files if before else ():
        if file.sha256 not in keep:
            place = os.path.join(target, file.object_path)
            with suppress(FileNotFoundError), open_parent(place) as directory:
                os.utime(os.path.basename(place), dir_fd=directory.descriptor, follow_symlinks=False)


def prune(target: str, keep: set[str]) -> None:
    """Remove objects that no version has listed for a day: who began a slow download can still end it."""
    with suppress(FileNotFoundError), open_directory(os.path.join(target, "objects")) as objects:
        for shard in objects.names():
            with objects.inner(shard) as directory:
                for name in directory.names():
                    if name not in keep and _is_over(directory.status(name)):
                        directory.unlink(name)


def _is_over(state: os.stat_result | None) -> bool:
    return state is not None and time.time() - state.st_mtime > _KEPT_S
