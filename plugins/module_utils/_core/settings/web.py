# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How endpoints reach the server (section ``web`` of its settings), read with complete validation."""

from __future__ import annotations

import re
from enum import Enum
from typing import Any

from ..validation.errors import ValidationErrors, show
from ..validation.parsers import InvalidValue, Parser, boolean, choice, integer, listing, nullable, read_mapping
from ..validation.strings import UrlParts, base_url, url_parts
from ..validation.strings import path as absolute_path
from ..values import frozen

_LISTEN = re.compile(r"[A-Za-z0-9_.:/\[\]*-]{1,200}(?: [a-z0-9_=-]{1,40}){0,4}")
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_./+@:-]+")
MOST_CONNECTIONS = 1_000_000


class WebServerKind(str, Enum):
    """The web servers that are configured here; ``none`` leaves whatever there is alone."""

    NGINX = "nginx"
    NONE = "none"


class ReportsBy(str, Enum):
    """How reports get here from endpoints."""

    PUT = "put"
    """Endpoints send them, and the web server takes them."""
    ASK = "ask"
    """The web server takes none, so the server asks endpoints by notices."""


@frozen
class WebSettings:
    """``url`` is where endpoints reach the server.

    ``listen`` is where the web server listens (empty: the URL's port, on all addresses). ``tls_certificate`` and
    ``tls_key`` are paths on the host, both or neither. ``max_connections`` is how many downloads are served at one time
    (None: the highest cap of the notices), ``retry_after`` when who was turned away comes back, seconds. ``verify_url``
    tells whether the URL is tried from the server itself. ``reports`` is how reports of endpoints arrive.
    """

    url: str
    server: WebServerKind = WebServerKind.NGINX
    listen: tuple[str, ...] = ()
    tls_certificate: str = ""
    tls_key: str = ""
    max_connections: int | None = None
    retry_after: int = 30
    verify_url: bool = True
    reports: ReportsBy = ReportsBy.PUT

    @classmethod
    def from_dict(cls, raw: object, path: str = "web") -> WebSettings:
        """Read the section, in which ``url`` alone is required; raises InvalidDocument with all its errors."""
        errors = ValidationErrors()
        values: dict[str, Any] = read_mapping(raw, path=path, known=_KEYS, errors=errors)
        if isinstance(raw, dict) and "url" not in raw:
            errors.add(f"{path}.url", "", "the URL by which endpoints reach this server")
        errors.check()
        settings = cls(**values)
        settings._check_tls(path, errors)
        errors.check()
        return settings

    def to_dict(self) -> dict[str, Any]:
        """The section in its canonical form, which ``from_dict`` reads back as the same value."""
        given = {
            "listen": list(self.listen) or None,
            "tls_certificate": self.tls_certificate or None,
            "tls_key": self.tls_key or None,
            "max_connections": self.max_connections,
        }
        return {
            "url": self.url,
            "server": self.server.value,
            **{name: one for name, one in given.items() if one is not None},
            "retry_after": self.retry_after,
            "verify_url": self.verify_url,
            "reports": self.reports.value,
        }

    @property
    def parts(self) -> UrlParts:
        """The URL, taken apart."""
        return url_parts(self.url)

    def _check_tls(self, path: str, errors: ValidationErrors) -> None:
        """A certificate belongs to a key and to https; something in front that speaks TLS needs ``listen``."""
        if self.server is not WebServerKind.NGINX:
            return
        if bool(self.tls_certificate) != bool(self.tls_key):
            missing = "tls_key" if self.tls_certificate else "tls_certificate"
            errors.add(f"{path}.{missing}", "", "given where its counterpart is (give both, or neither)")
        elif self.parts.scheme == "http" and self.tls_certificate:
            errors.add(f"{path}.tls_certificate", show(self.tls_certificate), "allowed where the URL begins with https")
        elif self.parts.scheme == "https" and not self.tls_certificate and not self.listen:
            where = "or tell in listen where the web server listens behind what speaks TLS in front of it"
            errors.add(f"{path}.tls_certificate", "", f"given with tls_key where the URL begins with https, {where}")


def _listen(raw: object) -> str:
    text = str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw
    if not isinstance(text, str) or not _LISTEN.fullmatch(text):
        raise InvalidValue("a port, or an address with a port, such as 8080, 192.0.2.1:80 or [::]:80")
    return text


def _file(raw: object) -> str:
    """A path that needs no quoting in a web server's configuration."""
    text = absolute_path(raw)
    if not _PLAIN_PATH.fullmatch(text):
        raise InvalidValue("an absolute path of letters, digits and . _ + @ : -")
    return text


_KEYS: dict[str, Parser] = {
    "url": base_url("https", "http"),
    "server": choice(WebServerKind),
    "listen": listing(_listen),
    "tls_certificate": _file,
    "tls_key": _file,
    "max_connections": nullable(integer(1, MOST_CONNECTIONS)),
    "retry_after": integer(1, 86400),
    "verify_url": boolean,
    "reports": choice(ReportsBy),
}
