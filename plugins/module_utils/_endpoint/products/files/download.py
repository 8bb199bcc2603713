# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One file's content from a source, resumed where an earlier try broke off, checked before it counts."""

from __future__ import annotations

import os
import stat

from ...._core.metadata.manifest import ManifestFile
from ...._host.filesystem.atomic_files import has_digest
from ...._host.filesystem.open_directory import NotRegular, OpenDirectory, write_all
from ...._host.filesystem.removal import remove
from ...._host.filesystem.safe_paths import open_directory
from ...._host.http.client import HttpClient, Response
from ...._host.http.errors import SourceError


class _WrongContent(SourceError):
    """All bytes came, but they are not what the manifest says."""


def fetch(client: HttpClient, url: str, file: ManifestFile, incoming: str) -> None:
    """Bring ``file`` from the source at ``url`` to ``incoming/<sha256>``, durable and verified.

    Raises SourceError when the source does not give it, OSError when this host can't take it.
    """
    with open_directory(incoming) as directory:
        if _holds(directory, file.sha256, file):
            return
        remove(directory, file.sha256)
        part = f"{file.sha256}.part"
        resumed = _size(directory, part) > 0
        try:
            _transfer(client, url, file, directory, part)
        except _WrongContent:
            if not resumed:
                raise
            # What an earlier run left may have been bad: once more, from the beginning.
            _transfer(client, url, file, directory, part)
        directory.rename(part, directory, file.sha256)


def _transfer(client: HttpClient, url: str, file: ManifestFile, directory: OpenDirectory, part: str) -> None:
    have = _size(directory, part)
    if have > file.size:
        directory.unlink(part)
        have = 0
    with open(_opened(directory, part), "ab") as stream:
        if have < file.size or not file.size:
            have = _receive(client, f"{url}/{file.object_path}", file, stream.fileno())
        os.fsync(stream.fileno())
    if have < file.size:
        raise SourceError(f"{file.path}: the download ended after {have} of {file.size} bytes")
    if not _holds(directory, part, file):
        directory.unlink(part)
        raise _WrongContent(f"{file.path}: the content's SHA-256 is not what the manifest says")


def _holds(directory: OpenDirectory, name: str, file: ManifestFile) -> bool:
    """Whether there is a regular file with the content that the manifest names."""
    return _size(directory, name) == file.size and has_digest(directory, name, file.sha256)


def _opened(directory: OpenDirectory, part: str) -> int:
    """The file of half a download; what else has come to its place is removed."""
    try:
        return directory.appendable(part)
    except (NotRegular, IsADirectoryError):
        remove(directory, part)
        return directory.appendable(part)


def _receive(client: HttpClient, url: str, file: ManifestFile, descriptor: int) -> int:
    """Append what is missing to an open file; returns its size then. More than the manifest says is not taken."""
    have = os.lseek(descriptor, 0, os.SEEK_END)
    answer = client.get(url, {"Range": f"bytes={have}-"} if have else None)
    if not _continues(answer, have):
        os.ftruncate(descriptor, 0)
        have = 0
    for chunk in answer.chunks:
        have += len(chunk)
        if have > file.size:
            os.ftruncate(descriptor, 0)
            raise SourceError(f"{file.path}: there is more of it than the {file.size} bytes that the manifest says")
        write_all(descriptor, chunk)
    return have


def _continues(answer: Response, have: int) -> bool:
    """Whether an answer goes on at this byte; a server may also ignore the wish and begin again."""
    return answer.status == 206 and answer.headers.get("content-range", "").startswith(f"bytes {have}-")


def _size(directory: OpenDirectory, name: str) -> int:
    """The size of a regular file; 0 for anything else."""
    state = directory.status(name)
    return state.st_size if state is not None and stat.S_ISREG(state.st_mode) else 0
