# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an endpoint and an update server share where one host is both, and what a host has."""

from __future__ import annotations

CONFIGURATION_DIRECTORY = "/etc/epp-autoupdate"
SERVER_SETTINGS_NAME = "server.json"
"""The one file of the server's in it; the others are the endpoint's."""
SYSTEM_PYTHON = "/usr/bin/python3"
"""The system's own, by the name that outlives upgrades."""
