# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The update server of an endpoint: where it is, whose signatures count, and who may notify."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..validation.parsers import InvalidValue, Parser, listing, nullable
from ..validation.public_keys import public_key
from ..validation.strings import account, base_url
from ..values import frozen
from .broker import Broker, read_broker

NOTIFY_USER = "epp-notify"
"""As whom the server notifies, unless it is told otherwise: an account of the collection's own on each endpoint."""
COMPONENTS = "components"
"""Where components lie below the server's base URL, each product's in a directory of its name."""

CHANNELS = "channels"
"""Where the channels of a product lie below its components, each in a directory of its name (G1)."""


@frozen
class UpdateServer:
    """``url`` is the server's base URL. ``signers`` are the public keys that are trusted until a tree names others.

    ``notify_key`` is the public key by which the server notifies as ``notify_user``; None: it does not. ``broker`` is
    the message broker over which it notifies instead (L3).
    """

    url: str
    signers: tuple[str, ...]
    notify_key: str | None = None
    notify_user: str = NOTIFY_USER
    broker: Broker | None = None

    def to_dict(self) -> dict[str, Any]:
        plain: dict[str, Any] = {"url": self.url, "signers": list(self.signers)}
        plain.update({"notify_key": self.notify_key, "notify_user": self.notify_user})
        return plain if self.broker is None else {**plain, "broker": self.broker.to_dict()}

    def components(self, product: str) -> str:
        """The URL below which the components of a product lie."""
        return f"{self.url}/{COMPONENTS}/{product}"


def signer(raw: object) -> str:
    """A public key of OpenSSH; its comment falls away."""
    key = public_key(raw) if isinstance(raw, str) else None
    if key is None:
        raise InvalidValue("a public key of OpenSSH (ssh-ed25519 AAAA...)")
    return key


KEYS: Mapping[str, Parser] = {
    "url": base_url("https", "http"),
    "signers": listing(signer, least=1, most=16),
    "notify_key": nullable(signer),
    "notify_user": account,
    "broker": read_broker,
}
REQUIRED = ("url", "signers")
