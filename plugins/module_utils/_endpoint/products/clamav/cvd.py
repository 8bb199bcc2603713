# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of ClamAV databases, read from the files themselves."""

from __future__ import annotations

import os

from ...._core.cvd_header import HEADER_SIZE, SIGNED_SUFFIXES, DatabaseHeader, parse_header
from ...._core.results import Component
from ...._host.filesystem.safe_paths import open_file

__all__ = ("HEADER_SIZE", "SIGNED_SUFFIXES", "DatabaseHeader", "parse_header", "read", "read_plain", "read_signed")

_DIGEST_DIGITS = 12


def read(directory: str, name: str) -> Component | None:
    """The database ``name`` in a (real) directory; one that is not signed goes by its file's name."""
    stem, suffix = os.path.splitext(name)
    if not suffix or suffix in SIGNED_SUFFIXES:
        return read_signed(directory, stem)
    return read_plain(directory, name)


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
        with open(open_file(os.path.join(directory, filename)), "rb") as stream:
            built = int(os.fstat(stream.fileno()).st_mtime)
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    except OSError:
        return None
    return Component(filename, digest.hexdigest()[:_DIGEST_DIGITS], built)


def _read_header(path: str) -> DatabaseHeader | None:
    try:
        with open(open_file(path), "rb") as stream:
            return parse_header(stream.read(HEADER_SIZE))
    except OSError:
        return None
