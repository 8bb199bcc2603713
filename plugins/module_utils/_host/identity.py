# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which program this is that runs."""

from __future__ import annotations

import sys


def own_digest() -> str | None:
    """The digest that this program got when it was built; None for another Python, whose byte code it lacks."""
    try:
        from .. import _identity  # type: ignore[attr-defined]  # exists in a built program only
    except ImportError:
        return None
    return str(_identity.DIGEST) if sys.implementation.cache_tag == _identity.BYTECODE else None


def own_file() -> bytes | None:
    """The file that this program runs from; None when the library runs from a directory."""
    try:
        with open(sys.path[0], "rb") as file:
            return file.read()
    except OSError:
        return None
