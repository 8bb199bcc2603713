# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One file from a vendor's web server, and what its coming or not coming means for a fetch."""

from __future__ import annotations

import time

from ..._core.results import Outcome, Result
from ..._host.host import Host
from ..._host.http.client import ClientProfile, HttpClient
from ..._host.http.download import download
from ..._host.http.errors import RateLimited, SourceError, UnexpectedStatus

_MAX_SIZE = 16 * 1024**3
_PROFILE = ClientProfile(
    "epp-update-server",
    silence=60.0,
    cool_down=4 * 3600,
    refusals=(403, 429, 503),
    environment_proxy=True,
)
"""A fetch costs a vendor one request: a busy one is not asked a second time."""


class DownloadFault(Exception):
    """The file did not come; ``outcome`` says why."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(outcome.why)


def fetch_file(host: Host, url: str, path: str, *, timeout: float) -> bool:
    """Bring what is at ``url`` to ``path``, whole or not at all; returns whether it came anew.

    Raises DownloadFault, or OSError for a failure of this host.
    """
    client = HttpClient(time.monotonic() + timeout, host.now, _PROFILE)
    try:
        return download(client, url, host, path, limit=_MAX_SIZE)
    except SourceError as error:
        raise DownloadFault(_outcome(error)) from error


def _outcome(error: SourceError) -> Outcome:
    if isinstance(error, RateLimited):
        return Outcome(Result.COOLING_DOWN, str(error), error.until)
    if isinstance(error, UnexpectedStatus):
        return Outcome(Result.FAILED, str(error))
    return Outcome(Result.UNREACHABLE, f"the download failed: {error}", reached=error.reached)
