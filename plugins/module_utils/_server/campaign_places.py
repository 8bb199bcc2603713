# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where campaigns and component sources keep what is theirs, beside the server's other places."""

from __future__ import annotations

from . import paths

NOTIFY_KEY = paths.KEYS + "/notify"
ENGINE_LOCK = paths.STATE_DIRECTORY + "/engine.lock"
"""Held by the one engine that notifies."""
FETCH_LOCK = paths.STATE_DIRECTORY + "/fetch.lock"
GUARD = paths.STATE_DIRECTORY + "/requests.json"
SOURCES = paths.STATE_DIRECTORY + "/sources"
"""A working directory for each product's source."""
FETCHED = paths.STATE_DIRECTORY + "/fetched.json"
"""What the last fetch of each product came to."""
COMPONENTS = "components"
"""Where components lie below the server's base URL."""
