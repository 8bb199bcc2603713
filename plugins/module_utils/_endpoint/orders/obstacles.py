# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why an endpoint could not listen to its message broker: what is missing on the host, in words."""

from __future__ import annotations

from ..._core.settings.endpoint import EndpointDocument
from ..._host.host import Host
from ..._host.lookup import is_there

PROGRAM = "mosquitto_sub"
"""By which an endpoint listens."""


def obstacles(host: Host, document: EndpointDocument) -> tuple[str, ...]:
    """One sentence for each thing that is missing; nothing on a directory that stands for a host."""
    broker = None if document.server is None else document.server.broker
    if broker is None or not host.live:
        return ()
    access = broker.access
    program = () if is_there(host, PROGRAM) else (f"{PROGRAM} is not installed (Debian: mosquitto-clients)",)
    files = (path for path in (access.ca, access.certificate, access.key, access.password_file) if path)
    missing = (path for path in files if not host.exists(path))
    found = (*program, *(f"{path} does not exist (notify.mqtt.endpoints of the update server)" for path in missing))
    return tuple(f"this endpoint can't listen to the message broker: {words}" for words in found)
