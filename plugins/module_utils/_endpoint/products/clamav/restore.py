# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Going back to an earlier set of databases, and having clamd work with it (G5)."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from ...._core.holds import Holds
from ..base import Restored
from . import engine, own_signature
from .kept import words

if TYPE_CHECKING:
    from .product import ClamAV

_NONE = "no earlier set of databases is kept that could be put back"


def restore(product: ClamAV, holds: Holds, *, alive: bool) -> Restored:
    """Put the newest kept set in place that has no held version; ``alive``: clamd worked before what is replaced.

    freshclam's own memory of a cool-down stays as it is.
    """
    try:
        components = product.kept().restore(holds)
        if not components:
            return Restored(False, _NONE)
    except OSError as error:
        return Restored(False, f"going back failed: {error.strerror or error}")
    if product.probing.enabled:
        with suppress(OSError):  # there are other ways to ask clamd
            own_signature.put(product, product.components())
    if alive:
        deadline = time.monotonic() + product.probing.timeout
        engine.read_anew(product, deadline)
        missing = engine.missing(product, product.components(), deadline)
        if missing:
            return Restored(True, f"{words(components)} is back, but {missing}")
    return Restored(True, f"{words(components)} is back")
