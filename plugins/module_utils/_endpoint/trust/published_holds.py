# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the update server's signed catalog holds, as it concerns one endpoint, and what it offers (G1, G4, G5)."""

from __future__ import annotations

import syslog
from collections.abc import Mapping

from ..._core.holds import Hold
from ..._core.metadata.catalog import Catalog
from ..._core.metadata.channels import CatalogHold
from ..._core.metadata.sync_result import ConfigurationRejected
from ..._core.metadata.trusted import Enrollment
from ..._core.settings.endpoint import EndpointDocument
from ..._core.settings.endpoint_keys import ProductKind
from ..._host.host import Host
from ..source_client import source_client
from .catalog import ManifestVerifier

_LONGEST_S = 60.0


def published_holds(host: Host, document: EndpointDocument, stream: str = "") -> tuple[Hold, ...]:
    """The holds of the catalog that is published now; where it can't be had, of the last one that was accepted.

    What the endpoint's own channel is offered is no held version to it. ``stream`` is that of its packages.
    """
    catalog = _catalog(host, document)
    return () if catalog is None else _of(catalog, document.product, document.channel, stream)


def allowed_engines(host: Host, document: EndpointDocument, stream: str) -> tuple[tuple[str, ...] | None, str]:
    """The versions of packages that the endpoint's channel may install by the catalog that was accepted last, None for
    all; and why there are none where the catalog does not tell."""
    verifier = _verifier(host, document)
    catalog = None if verifier is None else verifier.accepted()
    if catalog is None:
        return (), "the update server's signed catalog is not known here"
    found = catalog.engine(document.product, stream)
    if found is None:
        return (), f"the update server's signed catalog does not tell of engines on {stream} yet"
    return found.allowed(document.channel), ""


def offered_versions(host: Host, document: EndpointDocument, *, anew: bool) -> Mapping[str, str] | None:
    """The versions of components that the endpoint's channel is offered; None where the catalog does not say.

    By the catalog that was accepted last, ``anew`` by the one that is published now.
    """
    verifier = None if anew else _verifier(host, document)
    catalog = _catalog(host, document) if verifier is None else verifier.accepted()
    offered = None if catalog is None else catalog.channel(document.product, document.channel)
    return None if offered is None else offered.components


def is_expedited(host: Host, document: EndpointDocument) -> bool:
    """Whether the endpoint's channel is offered a version that goes to all rings at once (G6)."""
    catalog = _catalog(host, document)
    offered = None if catalog is None else catalog.channel(document.product, document.channel)
    return offered is not None and offered.expedited


def _catalog(host: Host, document: EndpointDocument) -> Catalog | None:
    """The catalog that is published now, or the last one that was accepted."""
    verifier = _verifier(host, document)
    if verifier is None:
        return None
    try:
        return verifier.current(source_client(host, _LONGEST_S))
    except (ConfigurationRejected, OSError) as error:
        host.log(syslog.LOG_WARNING, f"holds go by the last catalog that was accepted: {error}")
        return verifier.accepted()


def _verifier(host: Host, document: EndpointDocument) -> ManifestVerifier | None:
    """None on a standalone endpoint."""
    if document.server is None:
        return None
    basis = Enrollment.of(document, document.server)
    return ManifestVerifier(host, basis, document.product, document.channel)


def _of(catalog: Catalog, product: str, channel: str, stream: str) -> tuple[Hold, ...]:
    held = (hold for hold in reversed(catalog.holds) if hold.product == product and hold.stream in ("", stream))
    offered = catalog.channel(product, channel)
    if product == ProductKind.FILES.value:
        own = "" if offered is None else offered.version
        return tuple(_hold(one, "", one.version) for one in held if one.version != own)
    wanted = {} if offered is None else offered.components
    return tuple(
        _hold(one, name, version)
        for one in held
        for name, version in one.components.items()
        if wanted.get(name) != version
    )


def _hold(held: CatalogHold, component: str, version: str) -> Hold:
    return Hold(version, component, held.reason, restores=bool(held.restore))
