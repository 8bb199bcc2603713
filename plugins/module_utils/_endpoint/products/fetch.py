# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: one file's content from a source, resumed where an earlier try broke off, checked before it counts."""

from __future__ import annotations

import os

from ..._core.manifest import ManifestFile
from ..._host.durable import digest_of
from ..http import Answer, Getter, SourceFault


class _WrongContent(SourceFault):
    """All bytes came, but they are not what the manifest says."""


def fetch(getter: Getter, url: str, file: ManifestFile, incoming: str) -> None:
    """Bring ``file`` from the source at ``url`` to ``incoming/<sha256>``, durable and verified.

    Raises SourceFault when the source does not give it, OSError when this host can't take it.
    """
    whole = os.path.join(incoming, file.sha256)
    if os.path.lexists(whole):
        if digest_of(whole) == file.sha256:
            return
        os.unlink(whole)
    part = whole + ".part"
    resumed = _size(part) > 0
    try:
        _transfer(getter, url, file, part)
    except _WrongContent:
        if not resumed:
            raise
        # What an earlier run left may have been bad: once more, from the beginning.
        _transfer(getter, url, file, part)
    os.replace(part, whole)


def _transfer(getter: Getter, url: str, file: ManifestFile, part: str) -> None:
    have = _size(part)
    if have > file.size:
        os.unlink(part)
        have = 0
    with open(part, "ab") as stream:
        os.fchmod(stream.fileno(), 0o644)
        if have < file.size or not file.size:
            have = _receive(getter, f"{url}/{file.object_path}", file, stream.fileno())
        os.fsync(stream.fileno())
    if have < file.size:
        raise SourceFault(f"{file.path}: the download ended after {have} of {file.size} bytes")
    if digest_of(part) != file.sha256:
        os.unlink(part)
        raise _WrongContent(f"{file.path}: the content's SHA-256 is not what the manifest says")


def _receive(getter: Getter, url: str, file: ManifestFile, descriptor: int) -> int:
    """Append what is missing to an open file; returns its size then. More than the manifest says is not taken."""
    have = os.lseek(descriptor, 0, os.SEEK_END)
    answer = getter.get(url, {"Range": f"bytes={have}-"} if have else None)
    if not _continues(answer, have):
        os.ftruncate(descriptor, 0)
        have = 0
    for chunk in answer.chunks:
        have += len(chunk)
        if have > file.size:
            os.ftruncate(descriptor, 0)
            raise SourceFault(f"{file.path}: there is more of it than the {file.size} bytes that the manifest says")
        _write_all(descriptor, chunk)
    return have


def _continues(answer: Answer, have: int) -> bool:
    """Whether an answer goes on at this byte; a server may also ignore the wish and begin again."""
    return answer.status == 206 and answer.headers.get("content-range", "").startswith(f"bytes {have}-")


def _write_all(descriptor: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except FileNotFoundError:
        return 0
