# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a run may wait before it starts, which the host's scheduler has to allow for. Times are seconds."""

from __future__ import annotations

from collections.abc import Iterable

from .._core.settings.endpoint import EndpointDocument, ProductKind

JOIN_MARGIN_S = 60
"""How much longer than an update may take a joining run waits for it (R3)."""
_PROBE_S = 60
"""What one look at the sources and its bookkeeping may take on top of the waits."""
_CRON_GRAIN_S = 60
SYNC_S = 120
"""How long asking the update server for the configuration may take, and how long another one's is waited for."""

SAMPLES_S = 60
"""How long asking the update server for the samples of the probe may take; a download goes on where it broke off."""


REFRESH_S = 300
"""How long the lists of package sources, and files of the installed version, may take to be fetched."""


def longest_engine_update(document: EndpointDocument, others: Iterable[EndpointDocument] = ()) -> int:
    """The longest that an update of the engine's packages may take, with its waits for other runs: of this product, and
    of those ``others`` which may not run beside it.

    It waits once before it probes what an earlier run left unproven, and once before it installs.
    """
    fetching = 2 * REFRESH_S + document.limits.update
    waiting = longest_update(document) + JOIN_MARGIN_S + longest_turn(others)
    return fetching + 2 * waiting + document.probe.timeout + _engine_installation(document)


def _engine_installation(document: EndpointDocument) -> int:
    """The longest that new packages, their probe and the way back may take; meanwhile no other update runs."""
    return 2 * document.limits.update + 3 * document.probe.timeout


def longest_update(document: EndpointDocument) -> int:
    """The longest that an update may take with its probe, and with the way back where that fails."""
    longest = _longest_update(document)
    return max(longest, _engine_installation(document)) if document.policy.components.engine_packages else longest


def _longest_update(document: EndpointDocument) -> int:
    limits, probe = document.limits, document.probe
    if not probe.enabled:
        return limits.update
    if document.product == ProductKind.CLAMAV.value:
        samples = SAMPLES_S if document.server is not None else 0
        return limits.update + samples + 2 * probe.timeout  # clamd loads the old databases as long as the new ones
    definition = document.definition
    has_probe = bool(probe.command) or (definition is not None and bool(definition.probe))
    has_way_back = document.command.restore if definition is None else definition.restore
    back = limits.update if has_way_back else 0
    return limits.update + (probe.timeout + back if has_probe else 0)


def longest_turn(others: Iterable[EndpointDocument]) -> int:
    """The longest that an update waits for its turn, where none of these others may run beside it; 0 without any."""
    waits = [longest_update(one) for one in others]
    return sum(waits) + JOIN_MARGIN_S if waits else 0


def max_start_delay(document: EndpointDocument) -> int:
    """The longest that a run may wait before it begins: for its slot, for the server, for another run."""
    schedule, reconnect = document.policy.schedule, document.reconnect
    window = schedule.window if schedule.frequency.windowed else 0
    another_run = longest_update(document) + JOIN_MARGIN_S
    synchronization = 2 * SYNC_S if document.server is not None else 0
    own = max(window, reconnect.wait + reconnect.jitter, _CRON_GRAIN_S)
    return own + another_run + synchronization + _PROBE_S
