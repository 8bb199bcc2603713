# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way of a report to the update server: one PUT to a place of the endpoint's own."""

from __future__ import annotations

import time

from ..._core.settings.update_server import UpdateServer
from ..._core.untrusted_text import shown
from ..._core.values import frozen
from ..._host.host import Host
from ..._host.http.client import ClientProfile, HttpClient
from ..._host.http.errors import SourceError, UnexpectedStatus

TAKES_NONE = "takes_none"
"""The cause where the web server takes no reports, which only an administrator changes."""
_TAKES_NONE = frozenset((401, 403, 404, 405, 501))
"""How web servers answer that accept no PUT, or none to this place."""
_PROFILE = ClientProfile("epp-agent", silence=10.0, refusals=())


@frozen
class Delivery:
    """What became of sending a report. ``cause`` is empty where it was taken, ``why`` a sentence otherwise."""

    cause: str = ""
    why: str = ""


def deliver(host: Host, server: UpdateServer, endpoint: str, content: bytes, *, limit: float) -> Delivery:
    """Send a report, in ``limit`` seconds at most.

    A name server that does not answer can't be interrupted, so the request has a thread, which is left behind.
    """
    import threading

    ended: list[Delivery] = []
    url = f"{server.url}/reports/{endpoint}"
    # Never through the policy's proxy, as the configuration: a wrong one would silence the endpoint.
    client = HttpClient(time.monotonic() + limit, host.now, _PROFILE)
    sender = threading.Thread(target=lambda: ended.append(_delivery(client, url, content)), daemon=True)
    sender.start()
    sender.join(limit)
    return ended[0] if ended else Delivery("unreachable", f"the update server did not answer in {limit:.0f} s")


def _delivery(client: HttpClient, url: str, content: bytes) -> Delivery:
    try:
        client.put(url, content)
    except SourceError as error:
        if isinstance(error, UnexpectedStatus) and error.status in _TAKES_NONE:
            return Delivery(TAKES_NONE, f"the update server takes no reports: {url} answered {error.status}")
        return Delivery("unreachable", shown(f"the report could not be delivered: {error}"))
    return Delivery()
