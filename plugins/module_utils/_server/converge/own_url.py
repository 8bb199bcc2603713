# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the server's URL works, tried from the server itself."""

from __future__ import annotations

import socket
import time

from ..._core.metadata.envelope import Malformed, TooLarge, unpack
from ..._core.metadata.header import NAMESPACE
from ..._core.metadata.policy_tree import FILE
from ..._core.settings.web import WebSettings
from ..._core.validation.errors import InvalidDocument, ValidationError, show
from ..._host.http.client import ClientProfile, HttpClient
from ..._host.http.errors import SourceError, UnexpectedStatus

_PROFILE = ClientProfile("epp-update-server", silence=10.0, verify_tls=False)
_ATTEMPT_S = 30.0
_PATIENCE_S = 10.0
"""Seconds. A web server that reloads its configuration may answer by the old one for a moment."""
_PAUSE_S = 0.1
_LARGEST = 64 * 1024 * 1024


def refuse_unknown_host(web: WebSettings) -> None:
    """Raise InvalidDocument where the host of the URL can't be resolved; checked before any change."""
    try:
        socket.getaddrinfo(web.parts.host.strip("[]"), web.parts.port, type=socket.SOCK_STREAM)
    except OSError as error:
        why = f"a URL whose host is known to this server ({error.strerror or error}); correct the URL or DNS"
        away = "where only endpoints can resolve it, set web.verify_url (autoupdate_server_verify_url) to false"
        raise InvalidDocument((ValidationError("web.url", show(web.url), f"{why}; {away}"),)) from None


def try_url(web: WebSettings) -> str:
    """Why the published configuration can't be fetched by the URL; empty where it can.

    The certificate is not verified: the question is whether requests arrive here.
    """
    end = time.monotonic() + _PATIENCE_S
    while True:
        why = _attempt(web)
        if not why or time.monotonic() > end:
            return why
        time.sleep(_PAUSE_S)


def _attempt(web: WebSettings) -> str:
    client = HttpClient(time.monotonic() + _ATTEMPT_S, time.time, _PROFILE)
    try:
        content = client.get(f"{web.url}/{FILE}").content(_LARGEST)
    except UnexpectedStatus as error:
        return f"HTTP status {error.status}"
    except SourceError as error:
        return str(error)
    return "" if _is_ours(content) else "something else than an update server answers there"


def _is_ours(content: bytes) -> bool:
    """Whether this is a signed document. Which one, and whether it is valid, is for endpoints to decide."""
    try:
        return unpack(content, limit=_LARGEST).namespace == NAMESPACE
    except (Malformed, TooLarge):
        return False
