# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What freshclam could bring while versions are held: asked before it is started, for it takes no version (G5).

It asks a source for the first bytes of a database, and so does this. The vendor's network wants no request but
freshclam's own, and tells the versions by DNS. Where a version can't be told, the database is left alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ...._core.cvd_header import HEADER_SIZE, parse_header
from ...._core.holds import Holds
from ...._core.masking import without_secrets
from ...._core.results import Outcome, Result
from ...._core.values import frozen
from ...._host.dns_text import name_servers, text_record
from ...._host.http.client import HttpClient
from ...._host.http.errors import SourceError, Unreachable
from ...source_client import source_client
from .freshclam_conf import VENDOR

if TYPE_CHECKING:
    from .product import ClamAV

_LONGEST_S = 60.0
_RECORD = "current.cvd.clamav.net"
_FIELDS = {"main": 1, "daily": 2, "bytecode": 7}
_LONGEST_DNS_S = 10.0


@frozen
class Permitted:
    """The databases that may be updated, from which sources (none: the vendor), and what is kept back."""

    names: tuple[str, ...]
    mirrors: tuple[str, ...]
    kept_back: tuple[Outcome, ...] = ()


@frozen
class _Offer:
    """What one source has of one database: a version, or why that can't be told."""

    version: str = ""
    why: str = ""
    unreachable: bool = False


_UNTOLD = _Offer(why=f"the DNS does not tell what {VENDOR} has")


def permitted(product: ClamAV, names: Sequence[str], holds: Holds, deadline: float) -> Permitted:
    """Which of these databases freshclam may update. Sources are asked for those alone that holds concern."""
    mirrors = product.mirrors() or (VENDOR,)
    concerned = [name for name in names if holds.concern(name)]
    client = source_client(product.host, min(_LONGEST_S, deadline - time.monotonic()), product.sources.proxy)
    vendor = _at_vendor(product) if VENDOR in mirrors and concerned else {}
    offers = {
        name: {
            mirror: vendor.get(name, _UNTOLD) if mirror == VENDOR else _offer(client, mirror, name)
            for mirror in mirrors
        }
        for name in concerned
    }
    good = {name: _good(name, offers[name], holds) for name in concerned}
    fit = next((mirror for mirror in mirrors if any(mirror in good[name] for name in concerned)), "")
    taken = [name for name in concerned if fit in good[name]]
    sources = tuple(mirror for mirror in product.mirrors() if all(mirror in good[name] for name in taken))
    kept_back = tuple(_kept_back(name, offers[name], holds) for name in concerned if name not in taken)
    return Permitted(tuple(name for name in names if name in taken or name not in concerned), sources, kept_back)


def _good(name: str, offers: Mapping[str, _Offer], holds: Holds) -> list[str]:
    """The sources whose version of a database is known and not held."""
    return [mirror for mirror, offer in offers.items() if offer.version and holds.of(name, offer.version) is None]


def _kept_back(name: str, offers: Mapping[str, _Offer], holds: Holds) -> Outcome:
    for offer in offers.values():
        hold = holds.of(name, offer.version) if offer.version else None
        if hold is not None:
            return hold.outcome(f"{name} {offer.version}")
    unknown = list(offers.values())
    why = f"a version of {name} is held, and what is offered can't be told: {unknown[0].why}"
    return Outcome(Result.UNREACHABLE if all(one.unreachable for one in unknown) else Result.HELD, why)


def _at_vendor(product: ClamAV) -> dict[str, _Offer]:
    """What the vendor has, as it tells freshclam: ``engine:main:daily:time:…:…:…:bytecode``."""
    fields = text_record(_RECORD, name_servers(product.host), timeout=_LONGEST_DNS_S).split(":")
    places = {name: place for name, place in _FIELDS.items() if place < len(fields) and fields[place].isdigit()}
    return {name: _Offer(fields[place]) for name, place in places.items()}


def _offer(client: HttpClient, mirror: str, name: str) -> _Offer:
    url = f"{mirror.rstrip('/')}/{name}.cvd"
    try:
        answer = client.get(url, {"Range": f"bytes=0-{HEADER_SIZE - 1}"})
        header = parse_header(_start(answer.chunks))
    except Unreachable as error:
        return _Offer(why=str(error), unreachable=True)
    except SourceError as error:
        return _Offer(why=str(error))
    return _Offer(str(header.version)) if header is not None else _Offer(why=f"{without_secrets(url)} is no database")


def _start(chunks: Iterator[bytes]) -> bytes:
    """The first bytes of a body; a source may give all of it."""
    content = b""
    for chunk in chunks:
        content += chunk
        if len(content) >= HEADER_SIZE:
            break
    return content[:HEADER_SIZE]
