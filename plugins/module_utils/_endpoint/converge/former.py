# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is left of products and settings that an endpoint had before, and has to go (D2)."""

from __future__ import annotations

from collections.abc import Iterator

from ..._core.resources.resources import File
from ..._core.settings.endpoint import EndpointDocument
from .. import paths
from ..endpoint import Endpoint
from ..installed import Installed
from ..products import select_product
from ..products.base import Product


def former_paths(endpoint: Endpoint, installed: Installed) -> tuple[str, ...]:
    """What the document that was in force tells of alone: metrics in a former directory, and what former products made
    for us; also where a converge that broke was to remove it."""
    document, state = endpoint.document, installed.state
    metrics = (f"{document.textfile_directory}/{paths.textfile_name(name)}" for name in installed.instances)
    before = () if installed.document is None else (*textfiles(installed.document), *_made(installed, endpoint))
    found = dict.fromkeys((*metrics, *before, *state.leaving))
    written = textfiles(document)
    if all(path in written for path in found):  # as in nearly every converge
        return ()
    kept = {*written, *(path for one in endpoint.each() for path in made_for_us(one.product))}
    return tuple(path for path in found if path not in kept)


def _made(installed: Installed, endpoint: Endpoint) -> Iterator[str]:
    """What products made for us whose settings were others, or that are not there any more."""
    before, now = installed.document, endpoint.document.each()
    for one in () if before is None else before.each():
        if one not in now:
            yield from made_for_us(select_product(one, endpoint.host))


def made_for_us(product: Product) -> tuple[str, ...]:
    """The files that a product has for us alone."""
    files = (entry.path for entry in product.entries() if isinstance(entry, File))
    return (*files, *product.needs().remains)


def former_states(endpoint: Endpoint) -> tuple[str, ...]:
    """The states of further products that are none any more, and what products that left remember."""
    further = {paths.state_directory(one.instance) for one in endpoint.document.further}
    kept = further | {paths.memory_of(one.product) for one in endpoint.document.each()}
    names = (name for name in endpoint.host.names(paths.PRODUCTS_DIRECTORY) if not name.startswith("."))
    return tuple(path for path in (f"{paths.PRODUCTS_DIRECTORY}/{name}" for name in names) if path not in kept)


def textfiles(document: EndpointDocument) -> tuple[str, ...]:
    """Where this endpoint's metrics are written."""
    return tuple(f"{one.textfile_directory}/{paths.textfile_name(one.instance)}" for one in document.each())
