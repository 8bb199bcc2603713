# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as one HTML file, without a browser: what is in it, and what is not (R5)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._server import payload
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet_report.document import fleet_report
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet_report.page.markup import Html, element
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet_report.page.page import page

from .made_fleet import MadeHost


class Reader(HTMLParser):
    """What a browser would make of a page: elements with their attributes, and the text of some of them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, Any]]] = []
        self.inside: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "input"):
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.inside.setdefault(self._open[-1] if self._open else "", []).append(data)


@pytest.fixture(scope="module")
def text(written: Path) -> str:
    return written.read_text(encoding="ascii")


@pytest.fixture(scope="module")
def read(text: str) -> Reader:
    return Reader(text)


def test_nothing_of_an_endpoint_becomes_markup_or_runs(text: str, read: Reader) -> None:
    assert "onerror" in text
    tags = [tag for tag, _attributes in read.elements]
    assert (tags.count("img"), tags.count("script"), tags.count("style")) == (0, 2, 1)
    names = {name for _tag, attributes in read.elements for name in attributes}
    assert not {name for name in names if name.startswith("on") or name in ("src", "style", "action")}
    assert "\u202e" not in text
    assert "\x1b" not in text


def test_no_address_leads_out_of_the_file(text: str, read: Reader) -> None:
    assert {attributes["href"][0] for _tag, attributes in read.elements if "href" in attributes} == {"#"}
    assert not re.search(r"https?://", text)


def test_the_policy_allows_this_script_and_this_style_alone(read: Reader) -> None:
    (allowed,) = (a["content"] for tag, a in read.elements if a.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.split(" ", 1) for rule in allowed.split("; "))
    assert rules["default-src"] == "'none'"
    for kind, tag in (("script-src", "script"), ("style-src", "style")):
        content = read.inside[tag][-1]
        assert rules[kind] == f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"


def test_the_data_of_the_table_are_those_of_the_document(document: dict[str, Any], read: Reader) -> None:
    told = json.loads(read.inside["script"][0])
    assert told["hosts"] == document["hosts"]
    assert told["states"] == list(document["states"])


def test_without_scripts_the_numbers_are_there_and_who_needs_somebody(document: dict[str, Any], text: str) -> None:
    words = re.sub(r"<[^>]+>", " ", text[: text.index("<script")])
    for state in ("current", "behind", "failing", "silent"):
        assert re.search(rf"\b{document['states'][state]}\s+{state}", words)
    assert "What to do today" in words
    assert "needs JavaScript" in words


def test_the_same_document_makes_the_same_file_wherever_it_is_made(document: dict[str, Any], written: Path) -> None:
    again = json.loads(json.dumps(document))
    assert page(again) == written.read_text(encoding="ascii")


def test_what_is_no_markup_is_escaped() -> None:
    made = element("p", "<b>", Html("<i>x</i>"), title='"', hidden=True, class_="a", data_x=None)
    assert made == '<p title="&quot;" hidden class="a">&lt;b&gt;<i>x</i></p>'


def test_the_program_writes_it(fleet: MadeHost, tmp_path: Path) -> None:
    server = tmp_path / "epp-server"
    server.write_bytes(payload.build(payload.sources(), interpreter=sys.executable))
    start = [sys.executable, "-I", server, "--root", fleet.root, "report"]
    told = subprocess.run([*start, "--json"], capture_output=True, check=True).stdout
    assert json.loads(told)["kind"] == "fleet_report"
    file = tmp_path / "fleet.html"
    file.write_text("x" * 10_000_000)
    subprocess.run([*start, "--html", file], capture_output=True, check=True)
    streamed = subprocess.run([*start, "--html", "-"], capture_output=True, check=True).stdout
    assert file.read_bytes()[:200] == streamed[:200]
    assert file.read_bytes().endswith(b"</html>\n")
    refused = subprocess.run([*start, "--html", tmp_path / "none" / "x"], capture_output=True, check=False)
    assert refused.returncode == 64
    assert b"can't be written" in refused.stderr
    assert subprocess.run(start, capture_output=True, check=False).returncode == 64


def test_a_page_without_endpoints_can_be_read(tmp_path: Path) -> None:
    from contextlib import closing

    from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database

    host = MadeHost(str(tmp_path), program="epp-server")
    with closing(open_database(host)) as connection:
        read = Reader(page(fleet_report(host, connection)))
    assert "Nothing: no alarm, and no endpoint needs anybody." in "".join(read.inside["p"])
