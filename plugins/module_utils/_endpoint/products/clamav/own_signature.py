# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A signature of our own beside the databases, made anew for each set of them.

It finds one sample, a line of text that names the versions of the set. A scanner that finds this sample works, and has
read the directory since that set was put there; no vendor's database is needed for that, and no malware.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...._core.canonical import sha256_hex
from ...._core.results import Component

if TYPE_CHECKING:
    from .product import ClamAV

NAME = "epp-probe.hsb"
_SIGNATURE = "Epp.Probe"


def sample(components: Sequence[Component]) -> bytes:
    """What a scanner finds that has read the databases of these versions."""
    versions = " ".join(f"{one.name}={one.version}" for one in sorted(components, key=lambda one: one.name))
    return f"epp.autoupdate: a harmless sample for the probe of {versions}\n".encode()


def path(product: ClamAV) -> str:
    return f"{product.settings.database_directory}/{NAME}"


def put(product: ClamAV, components: Sequence[Component]) -> None:
    """Put the signature of a set beside it; nothing is written where it is there. Raises OSError."""
    content = sample(components)
    line = f"{sha256_hex(content)}:{len(content)}:{_SIGNATURE}\n".encode()
    if product.host.read(path(product)) != line:
        product.host.write(path(product), line)  # root's: the unit may not change the mode of what it gives away


def put_at(product: ClamAV) -> float:
    """When it was put there, which is just before clamd is told of its set (Unix seconds); now where it is not."""
    state = product.host.status(path(product))
    return time.time() if state is None else state.st_mtime


def belongs(product: ClamAV, components: Sequence[Component]) -> bool:
    """Whether the signature that is there is that of these versions."""
    held = product.host.read(path(product))
    return held is not None and held.startswith(sha256_hex(sample(components)).encode())
