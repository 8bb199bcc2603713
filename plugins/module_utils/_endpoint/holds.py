# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this endpoint must not use: by its document, by its server, and by what its own probe has refused (G5)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from .._core.holds import Hold, Holds
from .._core.results import Component
from .._core.timestamps import iso
from .endpoint import Endpoint
from .engine import stream
from .state.store import Rejection, State

REFUSED_FOR_S = 24 * 3600.0
"""How long a version that failed its probe is not begun again: what failed by chance mends itself in a day."""

_PAUSES_S = (0.0, 2.0, 4.0, 8.0)
"""Between filling a channel and publishing the catalog lie a signature and a few writes."""


def holds_of(endpoint: Endpoint, state: State) -> Holds:
    """Every hold that is in force here now."""
    now = endpoint.host.now()
    own = (_by_probe(name, one) for name, one in state.rejected.items() if now < one.at + REFUSED_FOR_S)
    return Holds((*endpoint.document.held_versions, *_published(endpoint), *own))


def not_offered(endpoint: Endpoint, came: Iterable[str], installed: Sequence[Component]) -> Holds:
    """A hold for each component that ``came`` from the endpoint's channel in a version that this is not offered.

    A mirror is believed by the vendor's signature, which is on what other rings are offered as well, or by none at all.
    So what it gave is held against the signed catalog (G1).
    """
    names = set(came) & set(endpoint.product.from_channel())
    new = [one for one in installed if one.name in names]
    if not new:
        return Holds()
    from .trust.published_holds import offered_versions

    channel = endpoint.document.channel
    why = f"the update server's signed catalog does not offer it to the channel {channel}"
    found: Holds = Holds()
    for number, pause in enumerate(_PAUSES_S):
        time.sleep(pause)
        offered = offered_versions(endpoint.host, endpoint.document, anew=number > 0)
        wrong = [one for one in new if offered is not None and offered.get(one.name, one.version) != one.version]
        found = Holds(tuple(Hold(one.version, one.name, why) for one in wrong))
        if not found:
            break
    return found


def _published(endpoint: Endpoint) -> tuple[Hold, ...]:
    """What the update server's catalog holds; it is asked where the product's rollout is staged (G1)."""
    if not endpoint.document.channel:
        return ()
    from .trust.published_holds import published_holds

    return published_holds(endpoint.host, endpoint.document, stream(endpoint.host))


def _by_probe(name: str, rejected: Rejection) -> Hold:
    until = iso(rejected.at + REFUSED_FOR_S)
    why = f"{rejected.why}; it is not begun again before {until}"
    return Hold(rejected.version, name, why, by_probe=True)
