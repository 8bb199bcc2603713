# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names each part of the library that nothing else imports.

Ansible brings to a host what a module imports, and the agent is built there from what was brought. Without these lines
that would be another agent than the one that the control node expects. A test finds what is missing here.
"""

from __future__ import annotations

from .._core.metadata import catalog, keyring
from .._core.policy import change
from .._core.rollout import delivery, rate_limit, reported
from .._core.schedule import capacity, ordinals
from .._core.settings import components, notify, publication, registration, server
from .._endpoint import bring
from .._endpoint.cli import main
from .._host.http import download

__all__ = (
    "bring",
    "capacity",
    "catalog",
    "change",
    "components",
    "delivery",
    "download",
    "keyring",
    "main",
    "notify",
    "ordinals",
    "publication",
    "rate_limit",
    "registration",
    "reported",
    "server",
)
