# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One request by the standard library, which is imported here and nowhere else: only who really asks pays for it."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import urllib.error
import urllib.request
from typing import Any

from ..._core.masking import without_secrets
from ..._core.untrusted_text import shown as printable
from .errors import SourceError, UnexpectedStatus, Unreachable

PROXY_REFUSES = 407
_CHUNK = 64 * 1024
_LONGEST_BEGINNING = 60
"""Characters of an answer that is not HTTP: enough to see who answered."""
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")


class Reply:
    """An answer of any status; header names are in lower case. It is closed at the end of its ``with`` block."""

    def __init__(self, url: str, status: int, headers: Any, stream: Any) -> None:
        self.status = status
        self.headers = {name.lower(): value for name, value in headers.items()}
        self._shown = without_secrets(url)
        self._stream = stream

    def __enter__(self) -> Reply:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stream.close()

    def read(self) -> bytes:
        """What has come of the body, empty at its end; so a server that drips can't outwait anybody's deadline."""
        try:
            chunk: bytes = self._stream.read1(_CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise SourceError(f"{self._shown}: the download broke off") from error
        return chunk


class Transport:
    """Sends requests by ``proxies`` (scheme to URL; None takes the environment's), with or without TLS's proof."""

    def __init__(self, proxies: dict[str, str] | None, *, verify_tls: bool = True) -> None:
        self._opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(proxies),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(context=None if verify_tls else _any_certificate()),
            _SafeRedirects(),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.HTTPDefaultErrorHandler(),
        ):
            self._opener.add_handler(handler)

    def send(self, url: str, headers: dict[str, str], timeout: float, content: bytes | None = None) -> Reply:
        """GET, and follow redirects; PUT where there is ``content``, which follows none.

        Raises Unreachable, or SourceError for what no later request would mend.
        """
        method = "GET" if content is None else "PUT"
        request = _Request(url, content, headers, method=method)  # schemes other than HTTP(S) have no handler
        try:
            response = self._opener.open(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            return Reply(url, error.code, error.headers, error)
        except (OSError, http.client.HTTPException) as error:
            raise _silence(url, error, redirected=request.redirected) from error
        return Reply(url, response.status, response.headers, response)


class _Request(urllib.request.Request):
    redirected = False
    """Whether it was answered by a redirect: then something has reached a server."""


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect unless it would leave TLS or HTTP. The signature is the standard library's, without types."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore  # noqa: PGH003, PLR0913, PLR0917
        req.redirected = True
        scheme = newurl.partition(":")[0].lower()
        if scheme not in ("http", "https") or (req.full_url.startswith("https:") and scheme != "https"):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _silence(url: str, error: Exception, *, redirected: bool) -> SourceError:
    """TLS that can't be verified is an error to be mended; anything else without an answer is a source out of reach."""
    reason = getattr(error, "reason", error)
    shown = without_secrets(url)
    if isinstance(reason, ssl.SSLError):
        detail = getattr(reason, "verify_message", "") or reason.reason or "no secure connection"
        return SourceError(f"{shown}: TLS: {detail}")
    tunnel = _TUNNEL.search(str(reason))
    if tunnel and int(tunnel[1]) == PROXY_REFUSES:
        return UnexpectedStatus(f"the proxy answered {PROXY_REFUSES}", PROXY_REFUSES)
    if isinstance(reason, OSError):
        # Nothing was sent where the name is not known, or nobody listens.
        reached = redirected or not isinstance(reason, (socket.gaierror, ConnectionRefusedError))
        return Unreachable(f"{shown}: {reason.strerror or reason or type(reason).__name__}", reached=reached)
    beginning = getattr(error, "line", "") or str(error) or type(error).__name__
    return SourceError(f"{shown}: the answer is not HTTP: {printable(beginning.strip(), _LONGEST_BEGINNING)}")
