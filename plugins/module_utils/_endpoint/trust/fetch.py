# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One published file, asked for only if it is otherwise than the one that is held (C1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._core.metadata.header import MAX_SIZE
from ..._core.metadata.sync_result import ConfigurationRejected, SyncResult
from ..._core.values import frozen
from ..._host.http.client import HttpClient, Response
from ..._host.http.errors import BodyTooLarge, SourceError, UnexpectedStatus
from ..._host.http.validators import conditional_headers, validators_in


class NotPublished(ConfigurationRejected):
    """The server was reached, and has no such file."""


@frozen
class Fetched:
    """A file, or None where the server says that it is still the one that is held, and what it said of it."""

    content: bytes | None
    validators: Mapping[str, Any]


def fetch(client: HttpClient, url: str, validators: Mapping[str, Any], what: str) -> Fetched:
    """Ask for a file; ``validators`` belong to the one that is held, ``what`` is the word for it.

    Raises ConfigurationRejected, as NotPublished where there is no such file.
    """
    condition = conditional_headers(validators)
    try:
        answer = client.get(url, condition)
        if answer.status == 304 and condition:
            return Fetched(None, {**validators, **validators_in(answer.headers)})
        content = _whole(answer, what)
    except SourceError as error:
        missing = isinstance(error, UnexpectedStatus) and error.status == 404
        raise (NotPublished if missing else ConfigurationRejected)(SyncResult.UNREACHABLE, f"{what}: {error}") from None
    return Fetched(content, validators_in(answer.headers))


def _whole(answer: Response, what: str) -> bytes:
    if answer.status != 200:
        raise SourceError(f"the server answered {answer.status}")
    try:
        return answer.content(MAX_SIZE)
    except BodyTooLarge:
        why = f"{what}: it has more than the {MAX_SIZE} bytes that are allowed"
        raise ConfigurationRejected(SyncResult.TOO_LARGE, why) from None
