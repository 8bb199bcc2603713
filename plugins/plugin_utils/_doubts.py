# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policy that is legal and may not be what was meant, one function for each doubt.

Whether a domain has a route to the vendor is no such doubt: an inventory does not say which networks reach which hosts.
That a product has no vendor to fall back to can be known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Optional

from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import (
    EndpointDocument,
    ProductKind,
)

Doubt = tuple[str, str]
"""The key of the policy (``privileges.go_roaming``) and a sentence about it."""


def off_until_switched_on(document: EndpointDocument) -> Doubt | None:
    """Option 1 with option 2 off: users who never heard of the switch are never updated by the schedule (P1)."""
    privileges = document.policy.privileges
    if not privileges.toggle_scheduled_update or privileges.scheduled_update:
        return None
    return "privileges.scheduled_update", (
        "false with toggle_scheduled_update: scheduled updates run nowhere until a user switches them on"
    )


def roaming_is_left_out(document: EndpointDocument) -> Doubt | None:
    """Roaming is granted, and E1a leaves out whoever takes it; without a server nobody is notified anyway."""
    policy = document.policy
    if document.server is None or not policy.privileges.go_roaming or not policy.events.update_after_download:
        return None
    if policy.events.include_roaming_and_offline:
        return None
    return "privileges.go_roaming", (
        "true without events.include_roaming_and_offline: an endpoint whose user goes roaming is not notified of new "
        "components"
    )


def nobody_to_fall_back_to(document: EndpointDocument) -> Doubt | None:
    """The fallback is granted for a product that has no source of its vendor's."""
    if not document.policy.privileges.vendor_fallback or document.product is ProductKind.CLAMAV:
        return None
    return "privileges.vendor_fallback", (
        f"true has no effect with the product {document.product.value}, which has no source of its vendor's"
    )


DOUBTS: tuple[Callable[[EndpointDocument], Optional[Doubt]], ...] = (
    off_until_switched_on,
    roaming_is_left_out,
    nobody_to_fall_back_to,
)


def doubts(document: EndpointDocument) -> Iterator[Doubt]:
    """What is doubtful about one endpoint."""
    return (found for doubt in DOUBTS if (found := doubt(document)) is not None)
