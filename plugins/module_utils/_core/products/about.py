# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a definition says of itself: what it is for, where its facts are from, and whether it was ever run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum

from ..validation.errors import ValidationErrors
from ..validation.parsers import InvalidValue, Parser, choice, listing, read_mapping
from ..validation.strings import line, url
from ..values import field, frozen

_DATE = re.compile(r"20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])")
_LONGEST = 600


class Proven(str, Enum):
    """How a definition is known to be right."""

    RUN = "run"
    DOCUMENTATION = "documentation"


@frozen
class Page:
    """Where facts are from: the vendor's page and the day on which it was read."""

    url: str
    date: str
    says: str = ""


@frozen
class About:
    """``proven_with`` names what it was run with, ``unproven`` what nobody has seen.

    ``packages`` are by family of systems. ``vendor_way`` tells how the vendor wants its own updates switched off, where
    that is done by hand.
    """

    title: str = ""
    about: str = ""
    proven: Proven = Proven.DOCUMENTATION
    proven_with: str = ""
    unproven: tuple[str, ...] = ()
    pages: tuple[Page, ...] = ()
    platforms: tuple[str, ...] = ()
    packages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    vendor_way: str = ""


def read_pages(raw: object, where: str, errors: ValidationErrors) -> tuple[Page, ...]:
    """Read the list of pages; what is wrong becomes errors."""
    if not isinstance(raw, list) or len(raw) > 20:
        errors.add(where, "something else", "a list of at most 20 pages (url, date)")
        return ()
    found = []
    for index, one in enumerate(raw):
        values = read_mapping(one, path=f"{where}[{index}]", known=_PAGE, errors=errors)
        for key in ("url", "date"):
            if isinstance(one, dict) and key not in one:
                errors.add(f"{where}[{index}].{key}", "", "there")
        if "url" in values and "date" in values:
            found.append(Page(**values))
    return tuple(found)


def sentence(raw: object) -> str:
    """One line of at most 600 characters."""
    text = line(raw, f"a text of one line and at most {_LONGEST} characters")
    if len(text) > _LONGEST:
        raise InvalidValue(f"a text of one line and at most {_LONGEST} characters")
    return text


def _date(raw: object) -> str:
    if not isinstance(raw, str) or not _DATE.fullmatch(raw):
        raise InvalidValue("a day such as 2026-11-30, in quotes")
    return raw


def _packages(raw: object) -> dict[str, tuple[str, ...]]:
    names = listing(lambda one: line(one, "the name of a package"), least=1)
    if not isinstance(raw, dict) or len(raw) > 20 or not all(isinstance(family, str) for family in raw):
        raise InvalidValue("a mapping of families of systems (Debian, RedHat) to lists of packages")
    return {family: names(one) for family, one in raw.items()}


_PAGE: Mapping[str, Parser] = {"url": url("https", "http"), "date": _date, "says": sentence}
KEYS: Mapping[str, Parser] = {
    "title": sentence,
    "about": sentence,
    "proven": choice(Proven),
    "proven_with": sentence,
    "unproven": listing(sentence, most=20),
    "platforms": listing(sentence, most=20),
    "packages": _packages,
    "vendor_way": sentence,
}
