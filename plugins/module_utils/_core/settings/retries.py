# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How often and how long an endpoint is notified again (N1, N2, E1a)."""

from __future__ import annotations

from ..values import frozen


@frozen
class RetryPolicy:
    """The numbers of N1, N2 and E1a, in seconds. ``deadline`` is the longest that one sending may take."""

    lease: float = 30 * 60
    retry_delay: float = 15 * 60
    retries: int = 5
    offline_ttl: float = 7 * 86400
    deadline: float = 30 * 60
