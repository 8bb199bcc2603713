# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to component sources and the update server, every answer put in our words.

They are bounded in time, and TLS is verified. A server that is at its cap says 503 and when to come back (Retry-After,
N3): it is asked again then, give or take half of that, so that those who were turned away together don't return
together.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Callable

from ..._core.masking import without_secrets
from ..._core.values import field, frozen
from .errors import BodyTooLarge, DeadlineExceeded, RateLimited, SourceError, UnexpectedStatus
from .headers import whole_number
from .waiting import random_fraction, retry_after, with_jitter

if TYPE_CHECKING:
    from .transport import Reply, Transport


@frozen
class ClientProfile:
    """What differs between those who ask. Times are seconds.

    A server that says nothing for ``silence`` is taken for gone. A source that answers one of ``refusals`` is left
    alone, for ``cool_down`` where it does not say how long. A busy one (503 with Retry-After) is waited for where it
    wants ``longest_pause`` at most; None never asks twice. ``proxy_refuses`` is told where a proxy answers 407.
    """

    user_agent: str
    silence: float
    proxy_refuses: str = "a proxy on the way to the source wants a user and a password (407)"
    cool_down: int = 3600
    refusals: tuple[int, ...] = (403, 429)
    longest_pause: int | None = None
    environment_proxy: bool = False
    verify_tls: bool = True


@frozen
class Response:
    """An answer of status 200, 206 or 304 and its headers (names in lower case).

    ``chunks`` gives the body once, and raises SourceError where less comes than was announced.
    """

    status: int
    headers: dict[str, str]
    chunks: Iterator[bytes]

    def chunks_up_to(self, limit: int) -> Iterator[bytes]:
        """The body in chunks; raises BodyTooLarge before more than ``limit`` bytes were given, or any are asked for."""
        received = 0
        if (whole_number(self.headers.get("content-length", "")) or 0) <= limit:
            for chunk in self.chunks:
                received += len(chunk)
                if received > limit:
                    break
                yield chunk
            else:
                return
        raise BodyTooLarge(f"there is more of it than the {limit} bytes that are allowed")

    def content(self, limit: int) -> bytes:
        """The body in one piece; raises as ``chunks_up_to``."""
        return b"".join(self.chunks_up_to(limit))


@frozen
class HttpClient:
    """Sends requests until ``deadline`` (monotonic seconds); ``now`` is the wall clock, in Unix seconds.

    ``proxy`` is a URL; without one there is none, but where the profile takes the environment's. ``draw`` gives a
    uniform number in [0, 1).
    """

    deadline: float
    now: Callable[[], float]
    profile: ClientProfile
    proxy: str | None = None
    draw: Callable[[], float] = random_fraction
    _cached: list[Transport] = field(default_factory=list, repr=False)

    def get(self, url: str, headers: dict[str, str] | None = None) -> Response:
        """Ask for a URL, again where the server is busy. Raises a SourceError for anything but 200, 206 and 304."""
        while True:
            try:
                return self._get(url, headers)
            except RateLimited as wish:
                if not self._waits_for(wish):
                    raise

    def put(self, url: str, content: bytes) -> None:
        """Store content at a URL, by one request; raises a SourceError for any answer but success (2xx)."""
        asked = {"User-Agent": self.profile.user_agent, "Content-Type": "application/octet-stream"}
        with self._transport().send(url, asked, self._time_left(), content) as reply:
            if not 200 <= reply.status < 300:
                raise self._unexpected(url, reply.status, reply.headers)

    def _waits_for(self, wish: RateLimited) -> bool:
        """Wait as long as a busy server asks; False where it refuses, or where the time does not allow to."""
        longest = self.profile.longest_pause
        if wish.busy is None or longest is None or wish.busy > longest:
            return False
        pause = with_jitter(wish.busy, self.draw())
        if time.monotonic() + pause >= self.deadline:
            return False
        time.sleep(pause)
        return True

    def _get(self, url: str, headers: dict[str, str] | None) -> Response:
        asked = {"User-Agent": self.profile.user_agent, **(headers or {})}
        try:
            reply = self._transport().send(url, asked, self._time_left())
        except UnexpectedStatus as error:
            raise self._unexpected(url, error.status, {}) from error
        if reply.status in (200, 206):
            return Response(reply.status, reply.headers, self._body(url, reply))
        with reply:
            if reply.status == 304:
                return Response(reply.status, reply.headers, iter(()))
            raise self._unexpected(url, reply.status, reply.headers)

    def _body(self, url: str, reply: Reply) -> Iterator[bytes]:
        received, announced = 0, whole_number(reply.headers.get("content-length", ""))
        with reply:
            while True:
                self._time_left()
                chunk = reply.read()
                if not chunk:
                    break
                received += len(chunk)
                yield chunk
        if announced is not None and received < announced:
            raise SourceError(f"{without_secrets(url)}: the download ended after {received} of {announced} bytes")

    def _unexpected(self, url: str, status: int, headers: dict[str, str]) -> UnexpectedStatus:
        shown = without_secrets(url)
        if status in self.profile.refusals or (status == 503 and "retry-after" in headers):
            now = self.now()
            seconds = retry_after(headers.get("retry-after", ""), now)
            until = int(now) + (self.profile.cool_down if seconds is None else seconds)
            return RateLimited(f"{shown} answered {status}", status, until, busy=seconds if status == 503 else None)
        if status == 407:
            return UnexpectedStatus(self.profile.proxy_refuses, status)
        return UnexpectedStatus(
            f"the source lacks {shown} (404)" if status == 404 else f"{shown} answered {status}", status
        )

    def _time_left(self) -> float:
        """How long a server may say nothing; raises DeadlineExceeded."""
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise DeadlineExceeded("the time of this run is used up")
        return min(remaining, self.profile.silence)

    def _transport(self) -> Transport:
        if not self._cached:
            from .transport import Transport

            proxies = {"http": self.proxy, "https": self.proxy} if self.proxy else {}
            environment = self.profile.environment_proxy and not self.proxy
            self._cached.append(Transport(None if environment else proxies, verify_tls=self.profile.verify_tls))
        return self._cached[0]
