# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a source did not give what was asked for; the text of each error is one sentence."""

from __future__ import annotations


class SourceError(Exception):
    """A source did not give what was asked for."""

    reached = True
    """False where certainly no request reached a server."""


class Unreachable(SourceError):
    """No answer at all: no connection, no name, no word in time."""

    def __init__(self, why: str, *, reached: bool = True) -> None:
        super().__init__(why)
        self.reached = reached


class DeadlineExceeded(SourceError):
    """The whole run's time is used up; no other source will be tried."""


class BodyTooLarge(SourceError):
    """An answer has more bytes than are allowed, or announces more."""


class UnexpectedStatus(SourceError):
    """An answer whose status is neither the content nor a word about the one that is held."""

    def __init__(self, why: str, status: int) -> None:
        super().__init__(why)
        self.status = status


class RateLimited(UnexpectedStatus):
    """The source is rate-limited until ``until`` (Unix seconds).

    ``busy`` is how many seconds a server that is merely at its cap wants to have; None for one that refuses.
    """

    def __init__(self, why: str, status: int, until: int, *, busy: int | None = None) -> None:
        super().__init__(why, status)
        self.until = until
        self.busy = busy
