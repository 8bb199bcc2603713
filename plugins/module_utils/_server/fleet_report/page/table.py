# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The place of the table of endpoints, which the script fills; and without it, those that need somebody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...._core.reports.states import EndpointState
from .markup import Html, element, number, rows, section, word

_MOST = 100
_BARE = ("name", "domain", "state", "reason", "since", "heard")
_WELL = (EndpointState.CURRENT.value, EndpointState.ROAMING.value)


def hosts(document: Mapping[str, Any]) -> Html:
    """All endpoints."""
    tools = [
        _labelled("Search", element("input", id="search", type="search", autocomplete="off", spellcheck="false")),
        _labelled("State", element("select", id="states")),
        _labelled("Domain", element("select", id="domain")),
        element("button", "Show all", id="clear", type="button"),
        element("button", "CSV of what is shown", id="csv", type="button"),
    ]
    columns = element("details", element("summary", "Columns"), element("div", id="columns"))
    pages = [
        element("button", "Previous", id="previous", type="button"),
        element("span", id="place"),
        element("button", "Next", id="next", type="button"),
    ]
    table = element("table", element("thead", id="head"), element("tbody", id="rows"), id="table")
    live = [
        element("div", *tools, class_="tools"),
        columns,
        element("p", id="shown", role="status", aria_live="polite"),
        element("div", table, class_="wide", id="scroll", tabindex=0, role="group", aria_label="Endpoints"),
        element("div", *pages, class_="pages"),
        _help(),
    ]
    return section(
        "hosts", "Endpoints", element("div", *live, id="live", hidden=True), element("noscript", _bare(document))
    )


def _labelled(words: str, control: Html) -> Html:
    return element("label", element("span", words), control)


def _help() -> Html:
    ways = {
        "text": "has this text",
        "=text": "is exactly this; a domain with all below it",
        "!text": "is not so, before any of these",
        "3..7": "from 3 and below 7; one end may be left out",
        "<2026-11-29": "before; > is after",
        "?": "not known; ?text is not known for this reason",
    }
    list_ = element("dl", *(part for key, words in ways.items() for part in (element("dt", key), element("dd", words))))
    return element("details", element("summary", "How to filter a column"), list_)


def _bare(document: Mapping[str, Any]) -> Html:
    """The first endpoints that need somebody, for readers without scripts."""
    found = list(_in_need(document["hosts"]))
    words = f"The table of all {number(document['endpoints'])} endpoints needs JavaScript. "
    told = f"These are the first {number(min(len(found), _MOST))} of {number(len(found))} that are not current."
    return Html(element("p", words, told) + rows(map(word, _BARE), found[:_MOST], "Endpoints that are not current"))


def _in_need(table: Mapping[str, Any]) -> Iterator[list[str]]:
    columns = {column["name"]: column for column in table["columns"]}
    for row in range(table["count"]):
        if _cell(columns["state"], row) not in _WELL:
            yield [_cell(columns[name], row) for name in _BARE]


def _cell(column: Mapping[str, Any], row: int) -> str:
    code = column["codes"][row]
    return str(column["values"][code]) if code >= 0 else f"({column['missing'][-1 - code]})"
