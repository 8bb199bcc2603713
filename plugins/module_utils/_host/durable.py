# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: files by their real paths: written so that power loss leaves the old or the new one (C3), and digested."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

_CHUNK = 1 << 20


def digest_of(path: str) -> str:
    """The SHA-256 of a file in hexadecimal."""
    with open(path, "rb") as stream:
        return digest_in(stream)


def digest_in(stream: IO[bytes]) -> str:
    """The SHA-256 of what is left to be read in an open file."""
    import hashlib

    content = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        content.update(chunk)
    return content.hexdigest()


def write_durably(path: str, content: bytes, *, mode: int | None = None) -> None:
    """Replace a file; power loss leaves the old one or the new one. Without ``mode`` the umask decides."""
    temporary = path + ".new"
    with open(temporary, "wb") as stream:
        if mode is not None:
            os.fchmod(stream.fileno(), mode)
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, path)
    sync_directory(os.path.dirname(path))


def sync_directory(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
