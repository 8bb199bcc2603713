# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether endpoints can reach the server by its URL, tried from the server itself."""

from __future__ import annotations

import http.client
import socket
import ssl
import time

from ..._core.metadata.envelope import Malformed, TooLarge, unpack
from ..._core.metadata.header import NAMESPACE
from ..._core.metadata.policy_tree import FILE
from ..._core.settings.web import WebSettings
from ..._core.validation.errors import InvalidDocument, ValidationError, show

_TIMEOUT_S = 10.0
_PATIENCE_S = 10.0
"""A web server that reads its configuration anew lets the old one answer for a moment."""
_PAUSE_S = 0.1
_LARGEST = 64 * 1024 * 1024


def refuse_unknown_host(web: WebSettings) -> None:
    """Raise InvalidDocument where nobody knows the host of the URL; asked before anything is changed."""
    try:
        socket.getaddrinfo(web.parts.host.strip("[]"), web.parts.port, type=socket.SOCK_STREAM)
    except OSError as error:
        why = f"a URL whose host is known to this server ({error.strerror or error}); mend its name or its look-up"
        away = "where endpoints alone can look it up, set web.verify_url (autoupdate_server_verify_url) to false"
        raise InvalidDocument((ValidationError("web.url", show(web.url), f"{why}; {away}"),)) from None


def try_url(web: WebSettings) -> str:
    """Why the published configuration can't be had by the URL; empty where it can.

    Whose certificate it is, is not looked at: the question is whether the request arrives here.
    """
    end = time.monotonic() + _PATIENCE_S
    while True:
        why = _attempt(web)
        if not why or time.monotonic() > end:
            return why
        time.sleep(_PAUSE_S)


def _attempt(web: WebSettings) -> str:
    parts = web.parts
    host = parts.host.strip("[]")
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, parts.port, timeout=_TIMEOUT_S, context=_any_certificate())
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", f"{parts.path}/{FILE}")
        answer = connection.getresponse()
        content = answer.read(_LARGEST)
    except (OSError, http.client.HTTPException) as error:
        return str(error) or repr(error)
    finally:
        connection.close()
    if answer.status != 200:
        return f"HTTP status {answer.status}"
    return "" if _is_ours(content) else "something else than an update server answers there"


def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _is_ours(content: bytes) -> bool:
    """Whether this is a signed document; which one it is, and whether it is good, is for endpoints to say."""
    try:
        return unpack(content, limit=_LARGEST).namespace == NAMESPACE
    except (Malformed, TooLarge):
        return False
