# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the agent asks its sources and its update server."""

from __future__ import annotations

import time

from .._host.host import Host
from .._host.http.client import ClientProfile, HttpClient
from .._host.http.waiting import LONGEST_PAUSE_S

PROXY_REFUSES = (
    "the proxy wants a user and a password (407), and can't be given any: sources.proxy has to name one without"
)
_PROFILE = ClientProfile("epp-agent", silence=30.0, proxy_refuses=PROXY_REFUSES, longest_pause=LONGEST_PAUSE_S)


def source_client(host: Host, timeout: float, proxy: str | None = None) -> HttpClient:
    """A client for ``timeout`` seconds. A proxy comes from policy alone, never from the environment."""
    return HttpClient(time.monotonic() + timeout, host.now, _PROFILE, proxy)
