# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTML out of values: whatever is not markup itself is escaped when it becomes a part of it (R5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Union
from urllib.parse import quote, urlencode

from ...._core.untrusted_text import shown

_VOID = frozenset({"meta", "input", "rect", "path"})
"""Elements without content; those of SVG are closed in their own tag."""


class Html(str):
    """Markup."""


Attribute = Union[str, int, float, bool, None]


def element(tag: str, /, *parts: str, **attributes: Attribute) -> Html:
    """One element; texts among its parts, and values of attributes, are escaped.

    A trailing underscore of an attribute's name is dropped (``class_``), others become hyphens. None and False leave
    the attribute out, True gives it no value.
    """
    told = "".join(_attribute(key, value) for key, value in attributes.items())
    if tag in _VOID:
        return Html(f"<{tag}{told}/>")
    return Html(f"<{tag}{told}>{joined(parts)}</{tag}>")


def joined(parts: Iterable[str]) -> Html:
    """Several parts, one after the other."""
    return Html("".join(part if isinstance(part, Html) else escape(shown(part)) for part in parts))


def number(count: float) -> str:
    """A number with its thousands apart."""
    return f"{count:,}"


def link(filters: Mapping[str, str], *parts: str, **attributes: Attribute) -> Html:
    """A link to those endpoints of the table that the filters choose, by column."""
    return element("a", *parts, href=f"#hosts?{urlencode(filters, quote_via=quote)}", **attributes)


def counted(count: int, **filters: str) -> Html:
    """A count as a link to its endpoints; nothing to follow where there is none."""
    return link(filters, number(count)) if count else element("span", "0", class_="none")


def exactly(text: str) -> str:
    """The filter for one value."""
    return f"={text}"


def word(name: str) -> str:
    """A name of the document as people write it (``never_seen``)."""
    return name.replace("_", " ")


def instant(text: str | None, otherwise: str = "unknown") -> Html:
    """An instant as the document has it; the page's script adds the reader's own time."""
    if text is None:
        return joined([otherwise])
    return element("time", text.replace("T", " ").replace("Z", " UTC"), datetime=text)


def section(name: str, title: str, *parts: str) -> Html:
    """A section of the page."""
    return element("section", element("h2", title), *parts, id=name)


def rows(head: Iterable[str], body: Iterable[Iterable[str]], caption: str = "") -> Html:
    """A table; the first cell of each row is its head."""
    top = element("tr", *(element("th", one, scope="col") for one in head))
    lines = []
    for cells in body:
        first, *others = cells
        lines.append(element("tr", element("th", first, scope="row"), *(element("td", one) for one in others)))
    name = [element("caption", caption)] if caption else []
    inside = element("table", *name, element("thead", top), element("tbody", *lines))
    return element("div", inside, class_="wide", tabindex=0, role="group", aria_label=caption or "table")


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
