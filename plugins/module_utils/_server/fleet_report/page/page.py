# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as one HTML file: no other file, no network, and nothing in it that was not written here runs."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from .courses import campaigns, windows
from .fleet import choices, components, domains, results
from .markup import Html, element, joined, number
from .policy import policies
from .rollouts import rollouts
from .script import SCRIPT
from .style import STYLE
from .summary import summary
from .table import hosts

FORMAT = 1
"""The format of the documents that this page can be made of."""
_SECTIONS = {
    "today": "To do",
    "trend": "Trend",
    "rollouts": "Rollouts",
    "domains": "Domains",
    "ages": "Ages",
    "results": "Results",
    "campaigns": "Campaigns",
    "starts": "Starts",
    "choices": "Not by plan",
    "drift": "Drift",
    "policy": "Policy",
    "hosts": "Endpoints",
}


def page(document: Mapping[str, Any]) -> str:
    """The file, in ASCII; the same document gives the same file, whoever makes it of it."""
    title = f"Endpoint protection updates: {number(document['endpoints'])} endpoints"
    head = [
        Html('<meta charset="utf-8"/>'),
        element("meta", http_equiv="Content-Security-Policy", content=_policy()),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", Html(STYLE)),
    ]
    parts = [summary, rollouts, domains, components, results, campaigns, windows, choices, policies, hosts]
    body = [_top(title, document), element("main", *(part(document) for part in parts)), _data(document)]
    whole = joined([element("head", *head), element("body", *body, element("script", Html(SCRIPT)))])
    text = f"<!DOCTYPE html>\n{element('html', whole, lang='en')}\n"
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _top(title: str, document: Mapping[str, Any]) -> Html:
    shown = (name for name in _SECTIONS if name != "rollouts" or document["rollouts"])
    links = (element("a", _SECTIONS[name], href=f"#{name}") for name in shown)
    theme = element("button", "Theme: system", id="theme", type="button", hidden=True)
    skip = element("a", "To the endpoints", href="#hosts", class_="skip")
    return joined([skip, element("header", element("h1", title), element("nav", *links, aria_label="sections"), theme)])


def _data(document: Mapping[str, Any]) -> Html:
    """What the table is made of; nothing in it can end the element, and a browser does not run it."""
    told = {"at": document["at"], "states": list(document["states"]), "hosts": document["hosts"]}
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=True)
    safe = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").replace("\x7f", "\\u007f")
    return element("script", Html(safe), type="application/json", id="data")


def _policy() -> str:
    """No network at all; the one script and the one style sheet by their digests."""
    own = {"script-src": SCRIPT, "style-src": STYLE}
    allowed = [f"{kind} 'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for kind, text in own.items()]
    return "; ".join(["default-src 'none'", *allowed, "base-uri 'none'", "form-action 'none'"])
