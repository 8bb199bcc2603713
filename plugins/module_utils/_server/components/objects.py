# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: the contents of a published set, each under its digest, which it keeps for good.

What fills a source may be at work while it is read, and may be somebody else than the server: nothing is read through
a link, and only a copy that has the digest of the manifest is shown to anybody.
"""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from ..._core.manifest import InvalidManifest, Manifest, ManifestFile
from ..._host.durable import digest_of, sync_directory

_KEPT_S = 24 * 3600
"""How long the objects of versions that are over stay for readers who hold an older manifest."""
_CHUNK = 1 << 20
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def opened(folder: str, path: str) -> Iterator[IO[bytes]]:
    """A regular file of a folder, on the way to which no link is followed; raises OSError or InvalidManifest."""
    *parents, name = path.split("/")
    directory = os.open(folder, _DIRECTORY)
    try:
        for parent in parents:
            inner = os.open(parent, _DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
            os.close(directory)
            directory = inner
        descriptor = os.open(name, _FILE, dir_fd=directory)
    finally:
        os.close(directory)
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InvalidManifest(f"{path}: not a regular file")
        yield stream


def store(folder: str, file: ManifestFile, target: str) -> None:
    """Copy the content of a listed file to its place below ``target``; raises InvalidManifest if it is another now."""
    place = os.path.join(target, file.object_path)
    if os.path.exists(place) and digest_of(place) == file.sha256:
        return
    os.makedirs(os.path.dirname(place), exist_ok=True)
    temporary = place + ".new"
    try:
        _copy(folder, file.path, temporary)
        if digest_of(temporary) != file.sha256:
            raise InvalidManifest(f"{file.path}: it changed while it was read")
        os.chmod(temporary, 0o644)
        os.replace(temporary, place)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    sync_directory(os.path.dirname(place))


def _copy(folder: str, path: str, temporary: str) -> None:
    """Until it is known what it is, no web server can read the copy."""
    with opened(folder, path) as source, open(temporary, "wb", opener=_for_us_alone) as copy:
        shutil.copyfileobj(source, copy, _CHUNK)
        copy.flush()
        os.fsync(copy.fileno())


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def retire(target: str, before: Manifest | None, keep: set[str]) -> None:
    """Mark when the objects that are no longer listed were last needed."""
    for file in before.files if before else ():
        if file.sha256 not in keep:
            try:
                os.utime(os.path.join(target, file.object_path))
            except FileNotFoundError:
                pass


def prune(target: str, keep: set[str]) -> None:
    """Remove objects that no version has listed for a day: who began a slow download can still end it."""
    for parent, _directories, names in os.walk(os.path.join(target, "objects")):
        for name in names:
            path = os.path.join(parent, name)
            if name not in keep and time.time() - os.stat(path).st_mtime > _KEPT_S:
                os.unlink(path)
