# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a run may wait before it starts, which the host's scheduler has to allow for. Times are seconds."""

from __future__ import annotations

from .._core.settings.endpoint import EndpointDocument

JOIN_MARGIN_S = 60
"""How much longer than an update may take a joining run waits for it (R3)."""
_PROBE_S = 60
"""What one look at the sources and its bookkeeping may take on top of the waits."""
_CRON_GRAIN_S = 60
SYNC_S = 120
"""How long asking the update server for the configuration may take, and how long another one's is waited for."""


def max_start_delay(document: EndpointDocument) -> int:
    """The longest that a run may wait before it begins: for its slot, for the server, for another run."""
    schedule, reconnect = document.policy.schedule, document.reconnect
    window = schedule.window if schedule.frequency.windowed else 0
    another_run = document.limits.update + JOIN_MARGIN_S
    synchronization = 2 * SYNC_S if document.server is not None else 0
    own = max(window, reconnect.wait + reconnect.jitter, _CRON_GRAIN_S)
    return own + another_run + synchronization + _PROBE_S
