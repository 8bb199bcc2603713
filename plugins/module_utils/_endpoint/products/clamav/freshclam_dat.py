# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Freshclam's own memory of a cool-down, the file ``freshclam.dat`` in the database directory.

Measured with freshclam 0.103 (69 bytes) and 1.4 (90 bytes) on 64-bit Linux; numbers are in the machine's byte order.

====== ===== ==================================================================
offset bytes content
====== ===== ==================================================================
0      13    ``FreshClamData``
13     4     layout version, 1
17     36    the install's random UUID as text, which freshclam sends as its user agent
53     8     zero
61     8     Unix seconds until which freshclam sends no request; 0: no cool-down
69     21    zero; not with 0.103
====== ===== ==================================================================
"""

from __future__ import annotations

import os
import struct

from ...._host.filesystem.safe_paths import open_directory, open_file

NAME = "freshclam.dat"
SIZES = (69, 90)
"""Bytes: freshclam 0.103 and from 1.0 on."""
_MAGIC = b"FreshClamData"
_LAYOUT_OFFSET = 13
_RETRY_AFTER_OFFSET = 61
_LONGEST = 7 * 86400
"""A cool-down further ahead than this is no cool-down but a layout we do not know, or a clock that was wrong."""


def parse_retry_after(data: bytes) -> int:
    """The end of the cool-down in Unix seconds; 0 when there is none or the bytes are not of the layout we know."""
    if len(data) not in SIZES or not data.startswith(_MAGIC):
        return 0
    (layout,) = struct.unpack_from("=I", data, _LAYOUT_OFFSET)
    (until,) = struct.unpack_from("=q", data, _RETRY_AFTER_OFFSET)
    return int(until) if layout == 1 and until > 0 else 0


def cooling_until(directory: str, now: float) -> int | None:
    """When freshclam of this (real) database directory may ask again, None when it may now."""
    try:
        with open(open_file(os.path.join(directory, NAME)), "rb") as stream:
            until = parse_retry_after(stream.read(SIZES[-1] + 1))
    except OSError:
        return None
    return until if now < until <= now + _LONGEST else None


def forget_impossible(directory: str, now: float) -> None:
    """Take a cool-down out of the file that a clock that was ahead has written there: freshclam would keep it.

    Raises OSError.
    """
    try:
        with open_directory(directory) as opened:
            descriptor = opened.writable(NAME)
    except FileNotFoundError:
        return
    try:
        if parse_retry_after(os.read(descriptor, SIZES[-1] + 1)) > now + _LONGEST:
            os.pwrite(descriptor, struct.pack("=q", 0), _RETRY_AFTER_OFFSET)
    finally:
        os.close(descriptor)
