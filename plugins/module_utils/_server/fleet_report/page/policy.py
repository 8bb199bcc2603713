# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The policy of each domain, with the source of every value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .markup import Html, element, exactly, link, number, rows, section


def policies(document: Mapping[str, Any]) -> Html:
    """One table for each domain, to be opened; endpoints with values of their own are in the table of endpoints."""
    own = element("p", link({"own": "!="}, "Endpoints with values of their own"))
    return section("policy", "Policy by domain", *map(_domain, document["domains"]), own)


def _domain(one: Mapping[str, Any]) -> Html:
    name = one["domain"] or "(root)"
    where = {"domain": exactly(one["domain"])} if one["domain"] else {}
    head = element("summary", name, f" ({number(one['endpoints'])} endpoints)")
    if one["error"]:
        return element("details", head, element("p", f"Not valid: {one['error']}"))
    body = [[entry["key"], entry["value"] or "(none)", entry["source"]] for entry in one["policy"]]
    table = rows(["key", "value", "from"], body, f"Policy of {name}")
    return element("details", head, table, element("p", link(where, "Its endpoints")))
