# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Paths of the update server."""

from __future__ import annotations

from .._host import paths as shared

CONFIGURATION_DIRECTORY = shared.CONFIGURATION_DIRECTORY
SETTINGS = f"{CONFIGURATION_DIRECTORY}/{shared.SERVER_SETTINGS_NAME}"
STATE_DIRECTORY = "/var/lib/epp-autoupdate-server"
DATABASE = STATE_DIRECTORY + "/server.db"
KEYS = STATE_DIRECTORY + "/keys"
PUBLIC = "/var/lib/epp-autoupdate-public"
"""The directory that the web server serves; outside the state directory, which is private."""
TREE = PUBLIC + "/configuration/tree.json"
"""The client tree, published; it is there once keys are made and a first publication has been."""
KEYRING = KEYS + "/signing.json"
"""Which signing key is good for what; the private keys lie beside it."""
PUBLISH_LOCK = STATE_DIRECTORY + "/publish.lock"
"""Held during changes of tree or registry, and during publication."""
USER = "epp-server"
"""Whom the server works as; root becomes it before it touches anything."""
REPORTS = "/var/lib/epp-autoupdate-reports"
"""Root's; what is in it belongs to the server's user and to the web server."""
PLACES = REPORTS + "/places"
"""An empty file for each registered endpoint: the web server takes a report only where there is one."""
INBOX = REPORTS + "/inbox"
"""One file for each endpoint that has reported, put there by the web server."""
INCOMING = REPORTS + "/incoming"
"""Where the web server keeps a report that has not arrived in full; on the file system of the inbox."""
CLAIMED = REPORTS + "/claimed"
"""What was moved out of the inbox to be read; the web server cannot change what is there."""
SERVER = "/usr/local/bin/epp-server"
RUNTIME_DIRECTORY = "/run/epp-autoupdate-server"
PROGRAMS = "/opt/epp-autoupdate"
"""Programs of others that are installed for this server alone."""
CVDUPDATE_NAME = "cvdupdate"
NOTIFY_KEY = KEYS + "/notify"
DISPATCHER_LOCK = STATE_DIRECTORY + "/dispatcher.lock"
"""Held by the one dispatcher that sends deliveries."""
FETCH_LOCK = STATE_DIRECTORY + "/fetch.lock"
INGEST_LOCK = STATE_DIRECTORY + "/ingest.lock"
"""Held by the one process that takes reports in."""
GUARD = STATE_DIRECTORY + "/requests.json"
SOURCES = STATE_DIRECTORY + "/sources"
"""A working directory for each product's source."""
FETCHED = STATE_DIRECTORY + "/fetched.json"
"""The result of the last fetch of each product."""
COMPONENTS = "components"
"""Where components lie below the server's base URL."""
