# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a signed ClamAV database says of itself.

A signed database (``.cvd``), and the ``.cld`` or ``.cud`` that incremental updates leave in its place, begins with 512
bytes of colon-separated text: ``ClamAV-VDB:build time:version:signatures:level:digest:signature:builder:Unix time``.
"""

from __future__ import annotations

import re

from .values import frozen

HEADER_SIZE = 512
SIGNED_SUFFIXES = (".cvd", ".cld", ".cud")
_MD5 = re.compile(r"[0-9a-f]{32}")


@frozen
class DatabaseHeader:
    """What a signed database says of itself; ``built`` is Unix seconds, None when the header does not tell.

    ``digest`` is the MD5 of everything behind the header, in hexadecimal; empty when the header has none.
    """

    version: int
    built: int | None
    digest: str = ""


def component_of(name: str) -> str:
    """What endpoints call the component in a database file, or a database: a signed one goes without its suffix."""
    stem, dot, suffix = name.rpartition(".")
    return stem if f"{dot}{suffix}" in SIGNED_SUFFIXES else name


def file_of(url: str) -> str:
    """The name of the file behind the URL of a database."""
    return re.split(r"[?#]", url, maxsplit=1)[0].rpartition("/")[2]


def parse_header(data: bytes) -> DatabaseHeader | None:
    """The header at the start of a signed database, None when these bytes are not one."""
    fields = data[:HEADER_SIZE].decode("ascii", "replace").rstrip().split(":")
    if len(fields) < 8 or fields[0] != "ClamAV-VDB" or not fields[2].isdigit():
        return None
    seconds = fields[8] if len(fields) > 8 else ""
    built = int(seconds) if seconds.isdigit() else _written_time(fields[1])
    return DatabaseHeader(int(fields[2]), built, fields[5] if _MD5.fullmatch(fields[5]) else "")


def _written_time(text: str) -> int | None:
    """``22 Jun 2021 14-58 -0400`` as Unix seconds: older headers carry the time in this form alone."""
    from datetime import datetime

    try:
        return int(datetime.strptime(text, "%d %b %Y %H-%M %z").timestamp())
    except ValueError:
        return None
