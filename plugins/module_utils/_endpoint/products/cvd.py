# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: versions of ClamAV databases, read from the files themselves.

A signed database (``.cvd``), and the ``.cld`` or ``.cud`` that incremental updates leave in its place, begins with 512
bytes of colon-separated text: ``ClamAV-VDB:build time:version:signatures:level:digest:signature:builder:Unix time``.
"""

from __future__ import annotations

import os

from ..._core.results import Component
from ..._core.values import value

HEADER_SIZE = 512
SIGNED_SUFFIXES = (".cvd", ".cld", ".cud")
_DIGEST_DIGITS = 12


@value
class DatabaseHeader:
    """What a signed database says of itself; ``built`` is Unix seconds, None when the header does not tell."""

    version: int
    built: int | None


def parse_header(data: bytes) -> DatabaseHeader | None:
    """The header at the start of a signed database, None when these bytes are not one."""
    fields = data[:HEADER_SIZE].decode("ascii", "replace").rstrip().split(":")
    if len(fields) < 8 or fields[0] != "ClamAV-VDB" or not fields[2].isdigit():
        return None
    seconds = fields[8] if len(fields) > 8 else ""
    return DatabaseHeader(int(fields[2]), int(seconds) if seconds.isdigit() else _written_time(fields[1]))


def _written_time(text: str) -> int | None:
    """``22 Jun 2021 14-58 -0400`` as Unix seconds: older headers carry the time in this form alone."""
    from datetime import datetime

    try:
        return int(datetime.strptime(text, "%d %b %Y %H-%M %z").timestamp())
    except ValueError:
        return None


def read_signed(directory: str, name: str) -> Component | None:
    """The signed database ``name`` in a (real) directory; of a ``.cvd`` and a ``.cld`` the newer counts."""
    headers = [_read_header(os.path.join(directory, name + suffix)) for suffix in SIGNED_SUFFIXES]
    found = [header for header in headers if header is not None]
    if not found:
        return None
    newest = max(found, key=lambda header: header.version)
    return Component(name, str(newest.version), newest.built)


def read_plain(directory: str, filename: str) -> Component | None:
    """A database without a header: a short digest of its content is its version, its modification time its build."""
    import hashlib

    digest = hashlib.sha256()
    try:
        with open(os.path.join(directory, filename), "rb") as stream:
            built = int(os.fstat(stream.fileno()).st_mtime)
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    except OSError:
        return None
    return Component(filename, digest.hexdigest()[:_DIGEST_DIGITS], built)


def _read_header(path: str) -> DatabaseHeader | None:
    try:
        with open(path, "rb") as stream:
            return parse_header(stream.read(HEADER_SIZE))
    except OSError:
        return None
