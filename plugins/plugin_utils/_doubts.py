# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policy that is legal and may not be what was meant, one function for each doubt.

Whether a domain has a route to the vendor is no such doubt: an inventory does not say which networks reach which hosts.
That a product has no vendor to fall back to can be known.
"""

from __future__ import annotations

import time
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
    if not document.policy.privileges.vendor_fallback or document.product == ProductKind.CLAMAV.value:
        return None
    return "privileges.vendor_fallback", (
        f"true has no effect with the product {document.product}, which has no source of its vendor's"
    )


def swallowed_windows(document: EndpointDocument) -> Doubt | None:
    """Blackouts leave nothing of some windows: on these days no scheduled update runs."""
    schedule = document.policy.schedule
    if not schedule.blackouts:
        return None
    # Few policies have any, and Ansible compiles what is imported in each run.
    from ansible_collections.epp.autoupdate.plugins.plugin_utils._plans import named_days, windows_left

    days = [day for one in windows_left(schedule, time.time()) if not one.parts for day in one.occurrences]
    if not days:
        return None
    return "schedule.blackouts", (
        f"they swallow the window on {named_days(days)}: no scheduled update runs there on these days"
    )


def no_packages_to_upgrade(document: EndpointDocument) -> Doubt | None:
    """Packages of an engine are to be upgraded, of a product whose engine is none."""
    if not document.policy.components.engine_packages or document.product == ProductKind.CLAMAV.value:
        return None
    return "components.engine_packages", (
        f"true has no effect with the product {document.product}, whose engine is not packages of the system"
    )


def swallowed_engine_windows(document: EndpointDocument) -> Doubt | None:
    """Blackouts leave nothing of the windows in which packages of an engine may be upgraded."""
    policy = document.policy
    if not policy.components.engine_packages or not policy.schedule.blackouts:
        return None
    from ansible_collections.epp.autoupdate.plugins.plugin_utils._plans import engine_windows_swallowed

    if not engine_windows_swallowed(policy, time.time()):
        return None
    return "components.engine_windows", "blackouts swallow all windows of the coming week: no package is upgraded"


DOUBTS: tuple[Callable[[EndpointDocument], Optional[Doubt]], ...] = (
    off_until_switched_on,
    roaming_is_left_out,
    nobody_to_fall_back_to,
    swallowed_windows,
    no_packages_to_upgrade,
    swallowed_engine_windows,
)


def doubts(document: EndpointDocument) -> Iterator[Doubt]:
    """What is doubtful about one endpoint."""
    return (found for doubt in DOUBTS if (found := doubt(document)) is not None)
