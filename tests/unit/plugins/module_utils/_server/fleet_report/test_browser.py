# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report in a real browser: links, sorts, filters, themes, keyboard, phone, paper; no complaint and no request."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.tests.chromium import Browser, browser, program

from .conftest import COUNT, FORMULA
from .test_document import column

pytestmark = pytest.mark.heavy
SHOWN = "Number(document.querySelector('#shown').textContent.split(' of ')[0].replace(/,/g, ''))"
FIRST = "[...document.querySelectorAll('#rows tr')].map((row) => row.firstChild.textContent)"

CELLS = """
[...document.querySelectorAll('#rows tr')].map((row) =>
  row.children[document.querySelector(HEAD).cellIndex].textContent)
"""
DIRECTIONS = """
[...document.querySelectorAll('#head th')].map((one) => one.getAttribute('aria-sort')).filter((one) => one !== 'none')
"""


@pytest.fixture(scope="module")
def running() -> Iterator[Browser]:
    path = program()
    if path is None:
        pytest.skip("chromium is not installed")
    with browser(path) as one:
        yield one


@pytest.fixture
def page(running: Browser, written: Path) -> Iterator[Browser]:
    """The report, opened anew; after each test nothing was complained of, and nothing but the file was asked for."""
    running.size(1280, 900)
    running.media(prefers_color_scheme="light")
    running.open(written.as_uri())
    yield running
    assert running.complaints == []
    assert running.requests == [written.as_uri()]


def typed(page: Browser, name: str, text: str) -> int:
    """How many endpoints there are when a column's filter has this text."""
    selector = json.dumps(f'#head input[data-filter="{name}"]')
    page.run(
        f"((box) => {{ box.value = {json.dumps(text)}; box.dispatchEvent(new Event('input')); }})"
        f"(document.querySelector({selector}))"
    )
    return int(page.run(SHOWN))


@pytest.fixture
def staged(running: Browser, staged_page: Path) -> Iterator[Browser]:
    """The report on a fleet with rings, opened anew, as ``page``."""
    running.size(1280, 900)
    running.media(prefers_color_scheme="light")
    running.open(staged_page.as_uri())
    yield running
    assert running.complaints == []
    assert running.requests == [staged_page.as_uri()]


def wrong_numbers(page: Browser, *, more_than: int) -> dict[str, tuple[int, int]]:
    """The links of the page, of which there are more than so many, whose number is not that of their endpoints."""
    links = page.run(
        "[...document.querySelectorAll('a[href^=\"#hosts?\"]')].map((one) => [one.getAttribute('href'),"
        " (one.querySelector('.big') || one).textContent.trim()])"
    )
    numbers = [(href, int(text.split()[0].replace(",", ""))) for href, text in links if text[:1].isdigit()]
    assert len(numbers) > more_than
    wrong = {}
    for href, number in dict(numbers).items():
        page.run(f"location.hash = {json.dumps(href)}")
        page.until(f"location.hash === {json.dumps(href)}")
        page.run("new Promise((done) => setTimeout(done))")
        shown = page.run(SHOWN)
        if shown != number:
            wrong[href] = (number, shown)
    return wrong


def test_every_number_leads_to_as_many_endpoints(page: Browser) -> None:
    assert wrong_numbers(page, more_than=80) == {}


def test_so_does_every_number_of_a_rollout(staged: Browser) -> None:
    assert wrong_numbers(staged, more_than=15) == {}
    own = staged.run("[...document.querySelectorAll('#rollouts a, #today .alarm a')].map((one) => one.textContent)")
    assert own[0] == "1 failed endpoint"
    assert sorted(own[1:-1]) == ["1", "1", "1", "2", "3", "4", "5"]


def test_what_is_halted_is_on_the_first_screen_with_what_to_type(staged: Browser) -> None:
    first = "document.querySelector('#today li')"
    assert staged.run(f"{first}.innerText").startswith("files 4 halted in canary")
    assert staged.run(f"{first}.getBoundingClientRect().bottom < innerHeight")
    commands = staged.run(f"[...{first}.querySelectorAll('code')].map((one) => one.textContent)")
    assert commands == [f"epp-server rollout {one} 4 --product files --reason 'WHY'" for one in ("abort", "resume")]


def test_a_rollout_can_be_read_in_both_themes_and_on_a_phone(staged: Browser) -> None:
    for scheme in ("light", "dark"):
        staged.media(prefers_color_scheme=scheme)
        assert staged.run(CONTRAST) == []
    staged.size(360, 740)
    for place in ("#today", "#rollouts", "#hosts?rollout%3Afiles=failed"):
        staged.run(f"location.hash = '{place}'")
        assert staged.run("document.documentElement.scrollWidth") == 360
    wide = (
        "[...document.querySelectorAll('#rollouts *')].filter((one) => one.getBoundingClientRect().right > 360).length"
    )
    assert staged.run(wide) == 0


def test_every_column_sorts_both_ways_and_what_is_not_known_comes_last(page: Browser, document: dict[str, Any]) -> None:
    for one in document["hosts"]["columns"]:
        name = one["name"]
        page.run(f"document.querySelector('#clear').click(); location.hash = '#hosts?sort={name}'")
        head = json.dumps(f'#head th[data-column="{name}"]')
        page.until(f"document.querySelector({head}) !== null")
        page.until(f"document.querySelector({head}).getAttribute('aria-sort') === 'ascending'")
        up = page.run(CELLS.replace("HEAD", head))
        page.run(f"document.querySelector({head} + ' button').click()")
        assert page.run(DIRECTIONS) == ["descending"]
        down = page.run(CELLS.replace("HEAD", head))
        known = [value for value in column(document, name) if not isinstance(value, tuple)]
        assert all(text.startswith("(") for text in (*up[len(known) :], *down[len(known) :]))
        if one["kind"] == "text":
            assert len(set(known)) < 2 or up != down
            continue
        plain = [str(value).replace("T", " ").replace("Z", "") for value in sorted(known)]
        assert up[: len(known)] == plain[: len(up)]
        assert down[: len(known)] == plain[::-1][: len(down)]


def test_every_column_can_be_filtered(page: Browser, document: dict[str, Any]) -> None:
    for one in document["hosts"]["columns"]:
        name, cells = one["name"], column(document, one["name"])
        page.run(f"location.hash = '#hosts?sort={name}'")
        page.until(f"document.querySelector('#head input[data-filter=\"{name}\"]') !== null")
        known = [value for value in cells if not isinstance(value, tuple)]
        assert typed(page, name, "?") == COUNT - len(known)
        assert typed(page, name, "!?") == len(known)
        for reason in one["missing"]:
            assert typed(page, name, f"?{reason}") == sum(value == (reason,) for value in cells)
        if known:
            value = str(known[0])
            below = sum(
                str(other) == value or (name == "domain" and str(other).startswith(f"{value}/")) for other in known
            )
            assert typed(page, name, f"={value}") == below
            assert typed(page, name, f"!={value}") == len(known) - below
        if one["kind"] in ("number", "seconds", "days") and known:
            middle = sorted(known)[len(known) // 2]
            assert typed(page, name, f"..{middle}") == sum(other < middle for other in known)
            assert typed(page, name, f">{middle}") == sum(other > middle for other in known)
        if one["kind"] == "text" and known and known[0]:
            part = known[0][:4].upper()
            assert typed(page, name, part) == sum(part.lower() in other.lower() for other in known)
        assert typed(page, name, "") == COUNT
        page.run("document.querySelector('#clear').click()")


def test_search_state_and_domain_choose_together_and_stand_in_the_address(
    page: Browser, document: dict[str, Any], written: Path
) -> None:
    page.run(
        "((box) => { box.value = 'laptop'; box.dispatchEvent(new Event('input')); })(document.querySelector('#search'))"
    )
    for box, value in (("states", "current"), ("domain", "emea")):
        page.run(
            f"((box) => {{ box.value = '{value}'; box.dispatchEvent(new Event('change')); }})"
            f"(document.querySelector('#{box}'))"
        )
    rows = zip(column(document, "name"), column(document, "state"), column(document, "domain"))
    expected = [
        name
        for name, state, domain in rows
        if name.startswith("laptop") and state == "current" and domain.startswith("emea")
    ]
    assert page.run(SHOWN) == len(expected) > 0
    assert page.run(FIRST) == expected[:100]
    address = page.run("location.href")
    page.open(address)
    assert page.run(SHOWN) == len(expected), "whoever gets the address sees the same"
    page.requests[:] = [written.as_uri() for _one in page.requests]
    page.run("document.querySelector('#clear').click()")
    assert page.run(SHOWN) == COUNT


def test_pages_of_the_table_follow_each_other(page: Browser) -> None:
    seen: list[str] = []
    while True:
        seen += page.run(FIRST)
        if page.run("document.querySelector('#next').disabled"):
            break
        page.run("document.querySelector('#next').click()")
    assert len(seen) == len(set(seen)) == COUNT
    assert page.run("document.querySelector('#place').textContent") == f"301 to {COUNT}"


def test_what_is_shown_can_be_saved(page: Browser, document: dict[str, Any], tmp_path: Path) -> None:
    page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.run("document.querySelector('#columns input[value=failure]').click()")
    failing = typed(page, "state", "=failing")
    page.click("#csv")
    end = time.monotonic() + 60
    while not list(tmp_path.glob("*.csv")) and time.monotonic() < end:
        time.sleep(0.05)
    (file,) = tmp_path.glob("*.csv")
    with file.open(newline="", encoding="utf-8") as stream:
        lines = list(csv.reader(stream))
    assert len(lines) == failing + 1
    assert lines[0][:3] == ["endpoint", "domain", "state"]
    assert {line[2] for line in lines[1:]} == {"failing"}
    assert any("onerror" in cell for line in lines for cell in line)
    reasons = [line[lines[0].index("reason of a failed run")] for line in lines]
    assert f"'{FORMULA}" in reasons, "no spreadsheet takes it for a formula"
    assert FORMULA not in reasons
    page.requests[:] = page.requests[:1]  # the file that is saved is one of the page's own


def test_both_themes_can_be_read(page: Browser) -> None:
    found = {}
    for scheme in ("light", "dark"):
        page.media(prefers_color_scheme=scheme)
        found[scheme] = page.run("getComputedStyle(document.body).backgroundColor")
        assert page.run(CONTRAST) == []
    assert found["light"] != found["dark"]
    told = []
    for _press in range(3):
        page.run("document.querySelector('#theme').click()")
        told.append(
            (
                page.run("document.querySelector('#theme').textContent"),
                page.run("getComputedStyle(document.body).backgroundColor"),
            )
        )
    assert told == [("Theme: light", found["light"]), ("Theme: dark", found["dark"]), ("Theme: system", found["dark"])]


def test_a_keyboard_is_enough(page: Browser, document: dict[str, Any]) -> None:
    page.key("Tab")
    assert page.run("document.activeElement.className") == "skip"
    page.key("Enter", "\r")
    page.until("location.hash === '#hosts'")
    page.run(
        "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )  # it moves the focus, too
    page.run("document.querySelector('#head th[data-column=name] button').focus()")
    for chosen in (min, max):
        page.key("Enter", "\r")
        page.until(f"{FIRST}[0] === {json.dumps(chosen(column(document, 'name')))}")
    page.run("document.querySelector('#head input[data-filter=state]').focus()")
    for letter in "silent":
        page.key(letter, letter)
    assert page.run(SHOWN) == document["states"]["silent"]
    assert page.run("document.activeElement.dataset.filter") == "state", "the place is kept while one types"
    style = page.run("getComputedStyle(document.activeElement).outlineStyle")
    assert style == "solid"
    unnamed = page.run(
        "[...document.querySelectorAll('a, button, input, select, summary')].filter((one) =>"
        " !(one.textContent.trim() || one.getAttribute('aria-label') || (one.labels && one.labels.length)))"
        ".map((one) => one.outerHTML)"
    )
    assert unnamed == []


def test_it_fits_a_phone(page: Browser) -> None:
    page.size(360, 740)
    for place in ("", "#today", "#ages", "#campaigns", "#starts", "#policy", "#hosts?state=%3Dfailing"):
        page.run(f"location.hash = '{place}'")
        assert page.run("document.documentElement.scrollWidth") == 360


def test_it_can_be_printed(page: Browser) -> None:
    page.media("print")
    hidden = page.run(
        "['nav', '#theme', '.tools', '.pages'].map((one) => getComputedStyle(document.querySelector(one)).display)"
    )
    assert set(hidden) == {"none"}
    assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert len(page.call("Page.printToPDF", printBackground=False)["data"]) > 10_000


def test_nothing_else_can_run_or_be_fetched(page: Browser) -> None:
    page.run("document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.bad = 1'}))")
    assert page.run("window.bad === undefined")
    assert page.run("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')") == "refused"
    page.until("true")
    assert any("Content Security Policy" in words for words in page.complaints)
    assert not [url for url in page.requests if url.startswith("http")]
    page.complaints.clear()


def test_it_can_be_read_without_scripts(page: Browser, written: Path) -> None:
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        page.open(written.as_uri())
        assert "needs JavaScript" in page.run("document.body.innerText")
        assert page.run("getComputedStyle(document.querySelector('#live')).display") == "none"
    finally:
        page.call("Emulation.setScriptExecutionDisabled", value=False)


CONTRAST = """
(() => {
  const channel = (value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const light = (color) => {
    const [r, g, b] = color.match(/[0-9.]+/g).map(Number);
    return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  };
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (!/, 0\\)$/.test(color)) { return color; }
    }
    return 'rgb(255, 255, 255)';
  };
  const few = new Map();
  document.querySelectorAll('main *, header *').forEach((one) => {
    const own = [...one.childNodes].some((part) => part.nodeType === 3 && part.textContent.trim());
    if (!own || one.disabled || one.closest('svg')) { return; }
    const pair = [getComputedStyle(one).color, behind(one)];
    const [a, b] = pair.map(light).sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) { few.set(pair.join(' on '), one.tagName + '.' + one.className); }
  });
  return [...few];
})()
"""
"""Pairs of colors of text and of what is behind it whose contrast is below that of WCAG's level AA."""
