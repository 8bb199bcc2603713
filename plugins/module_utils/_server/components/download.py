# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One file from a vendor's web server, asked for by a conditional request."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import time
import urllib.error
import urllib.request
from typing import Any

from ..._core.results import Outcome, Result
from ..._host.filesystem.atomic_files import write_durably
from ..._host.filesystem.open_directory import write_all
from ..._host.filesystem.safe_paths import open_parent
from ..._host.host import Host
from ..._host.http.headers import whole_number

_CHUNK = 1 << 20
_SILENCE_S = 60.0
_COOL_DOWN_S = 4 * 3600
"""How long a vendor is left alone that refuses without saying for how long."""
_LONGEST_S = 24 * 3600
_MAX_SIZE = 16 * 1024**3


class DownloadFault(Exception):
    """The file did not come; ``outcome`` says why."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(outcome.why)


def download(host: Host, url: str, path: str, *, timeout: float) -> bool:
    """Bring what is at ``url`` to ``path``, whole or not at all; returns whether it came anew.

    Its validators lie beside it (``path.json``). Raises DownloadFault.
    """
    known = _validators(host, url, path)
    request = urllib.request.Request(url, headers={"User-Agent": "epp-update-server", **known})  # noqa: S310  # checked
    deadline, redirects = time.monotonic() + timeout, _Redirects()
    try:
        with urllib.request.build_opener(redirects).open(request, timeout=min(_SILENCE_S, timeout)) as response:
            _receive(response, host.real(path), deadline)
            headers = {name.lower(): value for name, value in response.headers.items()}
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 304:
                return False
            raise DownloadFault(_refused(host, error)) from error
    except (OSError, http.client.HTTPException) as error:
        outcome = Outcome(
            Result.UNREACHABLE, f"the download failed: {error}", asked=redirects.followed or not _refused_before(error)
        )
        raise DownloadFault(outcome) from error
    validators = {"url": url, "If-None-Match": headers.get("etag"), "If-Modified-Since": headers.get("last-modified")}
    write_durably(host.real(path + ".json"), json.dumps(validators).encode())
    return True


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Notes whether any was followed: then a request had been answered before."""

    followed = False

    def redirect_request(self, *request: Any, **more: Any) -> urllib.request.Request | None:
        self.followed = True
        return super().redirect_request(*request, **more)


def _refused_before(error: Exception) -> bool:
    """Whether a connection failed before a request could be sent: the name is not known, or nobody listens."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else None
    return isinstance(reason, (socket.gaierror, ConnectionRefusedError))


def _receive(response: Any, target: str, deadline: float) -> None:
    received = 0
    with open_parent(target) as directory, directory.replacing(os.path.basename(target), mode=0o644) as descriptor:
        while chunk := response.read1(_CHUNK):
            received += len(chunk)
            if time.monotonic() > deadline or received > _MAX_SIZE:
                raise OSError("it takes too long or is too large")
            write_all(descriptor, chunk)
        expected = whole_number(response.headers.get("Content-Length", ""))
        if expected is not None and expected != received:
            raise OSError(f"it broke off after {received} of {expected} bytes")


def _validators(host: Host, url: str, path: str) -> dict[str, str]:
    """The headers of a conditional request, if the file is there and came from this URL."""
    with contextlib.suppress(ValueError, AttributeError):
        known = json.loads(host.read(path + ".json") or b"{}")
        if known.pop("url", None) == url and host.exists(path):
            return {name: value for name, value in known.items() if value}
    return {}


def _refused(host: Host, error: urllib.error.HTTPError) -> Outcome:
    if error.code in (403, 429, 503):
        after = whole_number(str(error.headers.get("Retry-After", "")))
        seconds = _COOL_DOWN_S if after is None else min(after, _LONGEST_S)
        until = int(host.now()) + seconds
        return Outcome(Result.COOLING_DOWN, f"the source answered {error.code}", until)
    if error.code == 407:
        return Outcome(Result.FAILED, "a proxy on the way to the source wants a user and a password (407)")
    return Outcome(Result.FAILED, f"the source answered {error.code}")
