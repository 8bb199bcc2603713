# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status of an endpoint with several products: one section for each (D2)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..._host.host import Host
from .. import paths
from ..endpoint import Endpoint
from .status import compose

KEYS = (
    *("product", "policy", "scheduled_update", "components", "running", "last", "next_run", "schedule_fault"),
    *("blackout", "selftest", "probe", "scan"),
)
"""What is a product's own. The endpoint's own keys are there once, beside those of its first product."""


def of_one_product(status: Mapping[str, Any]) -> dict[str, Any]:
    """The section of one product."""
    return {key: status[key] for key in KEYS if key in status}


def with_products(endpoint: Endpoint, status: dict[str, Any]) -> dict[str, Any]:
    """The status of an endpoint, which is its first product's, with the sections of all where there are several."""
    further = endpoint.each()[1:]
    if not further:
        return status
    return {**status, "products": [of_one_product(status), *(compose(one, one.store.read()) for one in further)]}


def published(host: Host, status: dict[str, Any]) -> dict[str, Any]:
    """The same of what was published last, for those who may not look at everything."""
    sections = [of_one_product(one) for one in sorted(_published(host), key=_place)]
    return {**status, "products": [of_one_product(status), *sections]} if sections else status


def _published(host: Host) -> Iterator[dict[str, Any]]:
    for name in instances(host):
        content = host.read(paths.of_product(paths.STATUS, name))
        try:
            section = json.loads(content or b"null")
        except ValueError:
            section = None
        if isinstance(section, dict):
            yield section


def _place(section: Mapping[str, Any]) -> int:
    """That of a product in the endpoint's list."""
    place = section.get("place")
    return place if isinstance(place, int) else 0


def instances(host: Host) -> tuple[str, ...]:
    """Those of the further products which have published a status, in the order of their names."""
    names = paths.listed_instances(host.names(paths.PRODUCTS_DIRECTORY))
    return tuple(name for name in sorted(names) if host.exists(paths.of_product(paths.STATUS, name)))


def each_section(status: Mapping[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """A status with each of its sections changed, the whole one too."""
    found = change(dict(status))
    return {**found, "products": [change(one) for one in status["products"]]} if "products" in status else found
