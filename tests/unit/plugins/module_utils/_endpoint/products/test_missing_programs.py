# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a product can't be updated without, on a live host."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products import select_product
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.base import missing_programs
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost

COMMAND = {"update": ["/opt/none/update", "now"], "version": ["/bin/sh", "-c", "true"]}


class Bare(LocalHost):
    """A live host that has what is named and nothing else."""

    def __init__(self, *paths: str) -> None:
        super().__init__("")
        self.paths = paths

    def exists(self, path: str) -> bool:
        return path in self.paths


@pytest.mark.parametrize(
    ("product", "has", "lacks"),
    [
        ({"product": "clamav"}, (), ("freshclam",)),
        ({"product": "clamav"}, ("/usr/bin/freshclam",), ()),
        ({"product": "clamav"}, ("/usr/local/bin/freshclam",), ()),
        ({"product": "command", "command": COMMAND}, (), ("/opt/none/update", "/bin/sh")),
        ({"product": "command", "command": COMMAND}, ("/bin/sh",), ("/opt/none/update",)),
        ({"product": "files"}, (), ()),
    ],
)
def test_the_programs_that_a_host_lacks(product: dict[str, Any], has: tuple[str, ...], lacks: tuple[str, ...]) -> None:
    policy = {"sources": {"urls": ["http://127.0.0.1:9"]}} if product["product"] == "files" else {}
    document = EndpointDocument.from_dict({"format": 1, "endpoint": "n1", "policy": policy, **product})
    host = Bare(*has)
    assert missing_programs(host, select_product(document, host)) == lacks
    image = LocalHost("/srv/image")
    assert missing_programs(image, select_product(document, image)) == ()
