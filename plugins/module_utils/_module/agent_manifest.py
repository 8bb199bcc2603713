# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names each part of the library that nothing else imports.

Ansible brings to a host what a module imports, and the agent is built there from what was brought. Without these lines
that would be another agent than the one that the control node expects. A test finds what is missing here.
"""

from __future__ import annotations

from .._endpoint import bring
from .._endpoint.cli import main

__all__ = ("bring", "main")
