# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: names each part of the library that nothing else imports.

Ansible brings to a host what a module imports, and the agent is built there from what was brought. Without these lines
that would be another agent than the one that the control node expects. A test finds what is missing here.
"""

from __future__ import annotations

from .._core import (
    budget,
    campaign,
    catalogue,
    component_settings,
    configuration_settings,
    keyring,
    notify_settings,
    ordinals,
    planner,
    registration,
    reported,
    server_settings,
    tree_change,
)
from .._endpoint import main

__all__ = (
    "budget",
    "campaign",
    "catalogue",
    "component_settings",
    "configuration_settings",
    "keyring",
    "main",
    "notify_settings",
    "ordinals",
    "planner",
    "registration",
    "reported",
    "server_settings",
    "tree_change",
)
