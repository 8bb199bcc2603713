# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GET requests to component sources and the update server, every answer put in our words.

They are bounded in time, and TLS is verified. A server that is at its cap says 503 and when to come back (Retry-After,
N3): it is asked again then, give or take half of that, so that those who were turned away together don't return
together.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Callable

from ..._core.masking import without_secrets
from ..._core.values import field, frozen
from .headers import whole_number

if TYPE_CHECKING:
    import urllib.request
    from http.client import HTTPResponse

_SILENCE_S = 30.0
"""A server that says nothing for so long is taken for gone."""
_CHUNK = 64 * 1024
_REFUSED_S = 3600
"""How long to leave a source alone that answers 403, or 429 without saying how long."""
LONGEST_WAIT_S = 24 * 3600
"""No answer can silence an endpoint for longer."""
PROXY_REFUSES = (
    "the proxy wants a user and a password (407), and can't be given any: sources.proxy has to name one without"
)
_REFUSED_BY_PROXY = 407
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
LONGEST_PAUSE_S = 300
"""A busy server that wants more is not waited for: it counts as one that wants to be left alone."""


class SourceError(Exception):
    """A source did not give what was asked; the text is one sentence."""


class Unreachable(SourceError):
    """No answer at all: no connection, no name, no word in time."""


class DeadlineExceeded(SourceError):
    """The whole run's time is used up; no other source will be tried."""


class RateLimited(SourceError):
    """The source wants to be left alone until ``until`` (Unix seconds).

    ``busy`` is how many seconds a server that is merely at its cap wants to have; None for one that refuses.
    """

    def __init__(self, why: str, until: int, *, busy: int | None = None) -> None:
        super().__init__(why)
        self.until = until
        self.busy = busy


def random_fraction() -> float:
    """A number in [0, 1) by chance."""
    import random

    return random.SystemRandom().random()


def with_jitter(seconds: float, draw: float) -> float:
    """A pause of half to one and a half times these seconds, at least half a second."""
    return max(1.0, seconds) * (0.5 + draw)


@frozen
class Response:
    """An answer of status 200, 206 or 304 and its headers (names in lower case); ``chunks`` gives the body once."""

    status: int
    headers: dict[str, str]
    chunks: Iterator[bytes]


@frozen
class HttpClient:
    """Sends requests until ``deadline`` (monotonic seconds); ``now`` is the wall clock, in Unix seconds.

    ``draw`` gives a uniform number in [0, 1).
    """

    deadline: float
    now: Callable[[], float]
    proxy: str | None = None
    draw: Callable[[], float] = random_fraction
    _cached: list[urllib.request.OpenerDirector] = field(default_factory=list, repr=False)

    def get(self, url: str, headers: dict[str, str] | None = None) -> Response:
        """Ask for a URL, again where the server is busy. Raises a SourceError for anything but 200, 206 and 304."""
        while True:
            try:
                return self._get(url, headers)
            except RateLimited as wish:
                if not self._waits_for(wish):
                    raise

    def _waits_for(self, wish: RateLimited) -> bool:
        """Wait as long as a busy server asks; False where it refuses, or where the time does not allow to."""
        if wish.busy is None:
            return False
        pause = with_jitter(wish.busy, self.draw())
        if wish.busy > LONGEST_PAUSE_S or time.monotonic() + pause >= self.deadline:
            return False
        time.sleep(pause)
        return True

    def _get(self, url: str, headers: dict[str, str] | None) -> Response:
        import http.client
        import urllib.error
        import urllib.request

        request = urllib.request.Request(url, headers={"User-Agent": "epp-agent", **(headers or {})})  # noqa: S310
        try:
            response = self._opener().open(request, timeout=self._patience())
        except urllib.error.HTTPError as error:
            with error:
                return self._unusual(url, error.code, _lowered(error.headers))
        except (OSError, http.client.HTTPException) as error:
            raise _silence(url, error) from error
        return Response(response.status, _lowered(response.headers), self._body(url, response))

    def _body(self, url: str, response: HTTPResponse) -> Iterator[bytes]:
        import http.client

        with response:
            while True:
                self._patience()
                try:
                    # read1 returns what has come, so that a server that drips can't outwait the deadline.
                    chunk = response.read1(_CHUNK)
                except (OSError, http.client.HTTPException) as error:
                    raise SourceError(f"{without_secrets(url)}: the download broke off") from error
                if not chunk:
                    return
                yield chunk

    def _unusual(self, url: str, status: int, headers: dict[str, str]) -> Response:
        shown = without_secrets(url)
        if status == 304:
            return Response(status, headers, iter(()))
        if status in (429, 403) or (status == 503 and "retry-after" in headers):
            now = self.now()
            seconds = retry_after(headers.get("retry-after", ""), now)
            busy = seconds if status == 503 else None
            until = int(now) + (_REFUSED_S if seconds is None else seconds)
            raise RateLimited(f"{shown} answered {status}", until, busy=busy)
        if status == _REFUSED_BY_PROXY:
            raise SourceError(PROXY_REFUSES)
        if status == 404:
            raise SourceError(f"the source lacks {shown} (404)")
        raise SourceError(f"{shown} answered {status}")

    def _patience(self) -> float:
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise DeadlineExceeded("the time of this run is used up")
        return min(remaining, _SILENCE_S)

    def _opener(self) -> urllib.request.OpenerDirector:
        """Proxies come from policy alone, never from the environment; files and FTP are out of the question."""
        if not self._cached:
            self._cached.append(_build_opener(self.proxy))
        return self._cached[0]


def _build_opener(proxy: str | None) -> urllib.request.OpenerDirector:
    import urllib.request

    class SafeRedirects(urllib.request.HTTPRedirectHandler):
        """Follows a redirect unless it would leave TLS or HTTP."""

        def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore  # noqa: PGH003, PLR0913, PLR0917
            scheme = newurl.partition(":")[0].lower()
            if scheme not in ("http", "https") or (req.full_url.startswith("https:") and scheme != "https"):
                return None
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else {}),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        SafeRedirects(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener


def retry_after(value: str, now: float) -> int | None:
    """Seconds that a Retry-After header asks for (a number or an HTTP date), at most a day; None if unreadable."""
    number = whole_number(value)
    if number is not None:
        return min(number, LONGEST_WAIT_S)
    from email.utils import parsedate_to_datetime

    try:
        until = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if until.tzinfo is None:
        return None
    return max(0, min(int(until.timestamp() - now), LONGEST_WAIT_S))


def whole_body(answer: Response, limit: int) -> bytes:
    """An answer's body, of which no more than one byte beyond ``limit`` is read: who gets more was sent too much.

    Raises SourceError when less came than was announced.
    """
    content = bytearray()
    for chunk in answer.chunks:
        content += chunk
        if len(content) > limit:
            return bytes(content[: limit + 1])
    length = whole_number(answer.headers.get("content-length", ""))
    if length is not None and len(content) < length:
        raise SourceError(f"the download ended after {len(content)} of {length} bytes")
    return bytes(content)


def _silence(url: str, error: Exception) -> SourceError:
    """TLS that can't be verified is an error to be mended; anything else without an answer is a source out of reach."""
    import ssl

    reason = getattr(error, "reason", error)
    shown = without_secrets(url)
    if isinstance(reason, ssl.SSLError):
        detail = getattr(reason, "verify_message", "") or reason.reason or "no secure connection"
        return SourceError(f"{shown}: TLS: {detail}")
    tunnel = _TUNNEL.search(str(reason))
    if tunnel and int(tunnel[1]) == _REFUSED_BY_PROXY:
        return SourceError(PROXY_REFUSES)
    if isinstance(reason, OSError):
        return Unreachable(f"{shown}: {reason.strerror or reason or type(reason).__name__}")
    return SourceError(f"{shown}: the answer is not HTTP")


def _lowered(headers: object) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()} if hasattr(headers, "items") else {}
