# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: which agent this is."""

from __future__ import annotations

import sys


def own_digest() -> str | None:
    """The digest that was put into this agent when it was built; None for another Python, whose byte code it lacks."""
    try:
        from .. import _identity  # type: ignore[attr-defined]  # exists in the built agent only
    except ImportError:
        return None
    return str(_identity.DIGEST) if sys.implementation.cache_tag == _identity.BYTECODE else None
