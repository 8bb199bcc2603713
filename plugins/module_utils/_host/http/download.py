# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One file from a web server, asked for by a conditional request, whole or not at all."""

from __future__ import annotations

import json
import os
from typing import Any

from ..filesystem.open_directory import write_all
from ..filesystem.safe_paths import open_parent
from ..host import Host
from .client import HttpClient
from .errors import UnexpectedStatus
from .validators import conditional_headers, validators_in


def download(client: HttpClient, url: str, host: Host, path: str, *, limit: int) -> bool:
    """Bring what is at ``url`` to ``path``, of at most ``limit`` bytes; returns whether it came anew.

    Its validators lie beside it (``path.json``). Raises SourceError, or OSError for a failure of this host.
    """
    condition = conditional_headers(_validators(host, url, path))
    answer = client.get(url, condition)
    if answer.status == 304 and condition:
        return False
    if answer.status != 200:
        raise UnexpectedStatus(f"the source answered {answer.status} to a request for all of it", answer.status)
    target = host.real(path)
    with open_parent(target) as directory, directory.replacing(os.path.basename(target), mode=0o644) as descriptor:
        for chunk in answer.chunks_up_to(limit):
            write_all(descriptor, chunk)
    known = {"url": url, **validators_in(answer.headers)}
    host.write(path + ".json", json.dumps(known).encode(), mode=0o600)  # a URL may hold a customer's key
    return True


def _validators(host: Host, url: str, path: str) -> dict[str, Any]:
    """What was said of the file that is there, if it came from this URL."""
    try:
        known = json.loads(host.read(path + ".json") or b"{}")
    except ValueError:
        return {}
    return known if isinstance(known, dict) and known.get("url") == url and host.exists(path) else {}
