# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an endpoint has missed while it could not listen: the last order to each of its groups, if it is another one.

So delivery never depends on what a broker remembers. The file is the order as it was published, and is believed no more
than one that the broker brings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..._core.metadata.sync_result import ConfigurationRejected
from ..._core.rollout.order import KIND
from ..._core.rollout.topics import group_file
from ..._core.values import field, frozen
from ..endpoint import Endpoint
from ..source_client import source_client
from ..trust.fetch import NotPublished, fetch

_LONGEST_S = 60.0


@frozen
class MissedOrder:
    """The file with the last order to a group, where it is another than the one that was seen, and its validators.

    ``content`` is None where nobody can say: the server was not reached.
    """

    file: str
    content: bytes | None
    validators: Mapping[str, Any] = field(default_factory=dict)


def missed_orders(endpoint: Endpoint, known: Mapping[str, Mapping[str, Any]]) -> Iterator[MissedOrder]:
    """Ask for the orders to this endpoint's groups; ``known`` are the validators of those that were seen, by file.

    A server that has published none yet has nothing that was missed.
    """
    document = endpoint.document
    if document.server is None:
        return
    client = source_client(endpoint.host, _LONGEST_S)
    for ring in dict.fromkeys(("", document.channel)):
        file = group_file(document.product, ring)
        try:
            fetched = fetch(client, f"{document.server.url}/{file}", known.get(file, {}), KIND)
        except NotPublished:
            continue
        except ConfigurationRejected:
            yield MissedOrder(file, None)
            continue
        if fetched.content is not None:
            yield MissedOrder(file, fetched.content, fetched.validators)
