# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server publishes over a message broker: one signed order to a fleet, a ring or an endpoint (L3).

The broker needs no trust: whoever forges, alters, keeps or repeats an order brings about nothing, since it is signed as
the configuration is, names whom it is for, ends, and each endpoint begins a campaign once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..canonical import canonical_json, digest
from ..metadata.header import Header, header_fields, parse_header
from ..policy.enums import Scope
from ..schedule.slots import even_slot
from ..validation.errors import ValidationErrors
from ..validation.parsers import InvalidValue, Parser, choice, integer, listing, or_empty
from ..validation.strings import PRODUCT_NAME, endpoint_name, ring_name
from ..values import frozen
from .command import InvalidCommand, UpdateCommand

KIND = "order"
NAMESPACE = "epp-order"
MAX_SIZE = 8192
"""Bytes of an order with its signature."""
LONGEST_SPREAD = 86400
"""Seconds over which the starts of one order are spread at most."""
LONGEST_AHEAD = 2 * LONGEST_SPREAD
"""How far ahead the start of an endpoint may lie: the spread of a campaign before this one, and its own."""
_MOST = 2**53


@frozen
class Audience:
    """Whom an order is for: one ``endpoint``, else the members of a ``ring`` of ``product``, else whoever has it; of
    those, whoever takes what it is about by the ``scopes`` of policies, all of them where none is named.

    ``product`` is empty in an order to one endpoint about all that it has.
    """

    product: str = ""
    ring: str = ""
    endpoint: str = ""
    scopes: tuple[Scope, ...] = ()

    def has(self, *, endpoint: str, product: str, ring: str, scope: Scope) -> bool:
        """Whether an endpoint, with its product, its ring of it and its policy's scope, is meant."""
        if self.endpoint:
            return self.endpoint == endpoint
        return self.product == product and self.ring in ("", ring) and (not self.scopes or scope in self.scopes)


@frozen
class CampaignOrder:
    """Update, because of ``command``'s campaign, in the endpoint's own second from ``start`` on.

    ``spread`` is the number of seconds that the slots of a group fill; 0 in an order to one endpoint, which begins at
    ``start``. The header's ``expires`` ends it; for endpoints whose policy keeps notices of offline ones (E1a),
    ``kept`` does. ``created`` is when the campaign was, the same in all of its orders: an endpoint that has forgotten
    which campaigns it has begun knows by it that this is one of them. Instants are Unix seconds.
    """

    kind = KIND
    namespace = NAMESPACE

    header: Header
    command: UpdateCommand
    audience: Audience
    start: int
    spread: int = 0
    kept: int = 0
    created: int = 0

    @classmethod
    def from_bytes(cls, content: bytes) -> CampaignOrder:
        """Read what ``to_bytes`` wrote; raises InvalidDocument."""
        header, values = parse_header(content, KIND, _KEYS)
        command = _command(values)
        audience = Audience(values["product"], values["ring"], values["endpoint"], values["scopes"])
        instants = {name: values[name] for name in ("start", "spread", "kept", "created")}
        return cls(header, command, audience, **instants)

    def to_bytes(self) -> bytes:
        """The canonical document, which is what is signed."""
        return canonical_json({**header_fields(KIND, self.header), **self._content()})

    def digest(self) -> str:
        """Equal for orders that differ in their header only."""
        return digest(self._content())

    def begin(self, ordinal: int) -> int:
        """When the endpoint with this ordinal begins."""
        return self.start + (even_slot(ordinal, self.spread) if self.spread > 1 else 0)

    def end(self, *, keeps: bool) -> int:
        """From when on an endpoint takes it no more; ``keeps``: its policy keeps notices of offline ones (E1a)."""
        return max(self.header.expires, self.kept) if keeps else self.header.expires

    def _content(self) -> dict[str, Any]:
        command, audience = self.command, self.audience
        about = {"campaign": command.campaign, "version": command.version, "trigger": command.trigger.value}
        whom: dict[str, Any] = {"product": audience.product, "ring": audience.ring, "endpoint": audience.endpoint}
        whom["scopes"] = [scope.value for scope in audience.scopes]
        return {**about, **whom, "start": self.start, "spread": self.spread, "kept": self.kept, "created": self.created}


def _command(values: Mapping[str, Any]) -> UpdateCommand:
    plain = {key: values[key] for key in ("campaign", "version", "trigger")}
    try:
        return UpdateCommand.parse(canonical_json(plain))
    except InvalidCommand as error:
        errors = ValidationErrors()
        errors.add("campaign", str(error), "a campaign of an update server")
        errors.check()
        raise


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise InvalidValue("a text")
    return raw


def _product(raw: object) -> str:
    if not isinstance(raw, str) or not PRODUCT_NAME.fullmatch(raw):
        raise InvalidValue("the name of a product")
    return raw


_KEYS: Mapping[str, Parser] = {
    **dict.fromkeys(("campaign", "version", "trigger"), _text),
    "product": or_empty(_product),
    "ring": or_empty(ring_name),
    "endpoint": or_empty(endpoint_name),
    "scopes": listing(choice(Scope), most=len(Scope)),
    "start": integer(0, _MOST),
    "spread": integer(0, LONGEST_SPREAD),
    "kept": integer(0, _MOST),
    "created": integer(0, _MOST),
}
