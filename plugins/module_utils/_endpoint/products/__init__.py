# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The protection products, one file per back end, behind one door; ``defined`` is for all that are data (D1)."""

from __future__ import annotations

from typing import Callable

from ..._core.settings.endpoint import EndpointDocument
from ..._host.host import Host
from .base import Product


def _clamav(document: EndpointDocument, host: Host) -> Product:
    from .clamav.product import ClamAV

    return ClamAV.of(document, host)


def _files(document: EndpointDocument, host: Host) -> Product:
    from .files.product import Files

    return Files.of(document, host)


def _command(document: EndpointDocument, host: Host) -> Product:
    from .command import Command

    return Command.of(document, host)


def _defined(document: EndpointDocument, host: Host) -> Product:
    from .defined.product import Defined

    return Defined.of(document, host)


_PRODUCTS: dict[str, Callable[[EndpointDocument, Host], Product]] = {
    "clamav": _clamav,
    "files": _files,
    "command": _command,
}


def select_product(document: EndpointDocument, host: Host) -> Product:
    """The product that a (validated) document names, on this host. Only its own back end is imported."""
    return _PRODUCTS.get(document.product, _defined)(document, host)
