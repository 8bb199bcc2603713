# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wall clock that is set back while the agent works or waits.

A scheduler reckons its next instant from when it woke the agent last. systemd does not look at that again when the
clock is set while the agent runs: woken in a year that was still to come, it would wait for it.
"""

from __future__ import annotations

import syslog
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from .endpoint import Endpoint

_SLACK_S = 60.0
"""What a clock that is merely kept right may be turned by."""


def set_back(*, went_by: float, elapsed: float) -> bool:
    """Whether the wall clock was set back: less time went by on it than did elapse, in seconds."""
    return went_by < elapsed - _SLACK_S


@contextmanager
def reckoning_anew(endpoint: Endpoint, elapsed: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Let the host's scheduler reckon its instants anew where the clock is set back meanwhile."""
    host = endpoint.host
    wall, begin = host.now(), elapsed()
    try:
        yield
    finally:
        if set_back(went_by=host.now() - wall, elapsed=elapsed() - begin):
            host.log(syslog.LOG_NOTICE, "the clock was set back: the next instants are reckoned anew")
            try:
                endpoint.scheduler.reckon_anew()
            except OSError as error:
                host.log(syslog.LOG_ERR, f"the timers could not be started again: {error}")
