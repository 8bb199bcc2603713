# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where ``epp-server`` starts."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the server's command; returns the exit status."""
    from .parser import main as command_line

    return command_line(sys.argv[1:])
