# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What would become of a new version under the rings of the settings, with the registered endpoints (S8, G2)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from ..._core.rings.simulate import Assumptions, Course, Member, simulate
from ..._host.host import Host
from ..fleet.policies import endpoint_policies
from .promote import product_jobs


def preview(host: Host, connection: sqlite3.Connection, assumed: Assumptions) -> dict[str, Course]:
    """The course of one version of each product that has rings; nothing is offered to anybody."""
    return {
        name: simulate(job.rollout, _members(connection, name), assumed)
        for name, job in product_jobs(host, connection).items()
    }


def plain(courses: Mapping[str, Course]) -> list[dict[str, Any]]:
    """The courses as plain data; times are seconds after the publication."""
    return [
        {
            "product": name,
            "halted": course.halted,
            "end": course.end,
            "begun": course.begun,
            "rings": [ring.to_dict() for ring in course.rings],
            "reason": course.events[-1][1].reason if course.halted else "",
        }
        for name, course in courses.items()
    ]


def _members(connection: sqlite3.Connection, product: str) -> Iterator[Member]:
    for one in endpoint_policies(connection):
        if one.has(product):
            yield Member(one.name, one.domain, one.ordinal)
