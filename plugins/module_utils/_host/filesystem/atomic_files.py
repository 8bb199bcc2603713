# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files by their real paths: written so that power loss leaves the old or the new one (C3), and digested."""

from __future__ import annotations

import os

from .safe_paths import open_file, open_parent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

    from .open_directory import OpenDirectory

_CHUNK = 1 << 20


def digest_of(path: str) -> str:
    """The SHA-256 of a regular file in hexadecimal."""
    with open(open_file(path), "rb") as stream:
        return digest_in(stream)


def digest_in(stream: IO[bytes]) -> str:
    """The SHA-256 of what is left to be read in an open file."""
    import hashlib

    content = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        content.update(chunk)
    return content.hexdigest()


def has_digest(directory: OpenDirectory, name: str, sha256: str) -> bool:
    """Whether an open directory has a regular file of this name with this SHA-256."""
    try:
        descriptor = directory.open(name)
    except OSError:
        return False
    with open(descriptor, "rb") as stream:
        return digest_in(stream) == sha256


def write_durably(path: str, content: bytes, *, mode: int = 0o644) -> None:
    """Replace a file; power loss leaves the old one or the new one."""
    with open_parent(path) as directory:
        directory.write(os.path.basename(path), content, mode=mode)
