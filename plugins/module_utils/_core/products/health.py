# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a product says of itself, and what of that is wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..validation.errors import ValidationErrors, show
from ..validation.parsers import InvalidValue, Parser, choice, read_mapping
from ..validation.strings import line
from ..values import frozen
from .dates import date_format, read_date
from .meanings import WORDS, Ending, Meaning
from .steps import Step, read_step
from .versions import json_place, value_in


@frozen
class Expectation:
    """What a place of a JSON document has to hold: one of some words, or a date that lies ahead."""

    json: str
    one_of: tuple[str, ...] = ()
    future: str = ""
    means: Meaning = Meaning.FAILED
    why: str = ""

    def missed(self, text: str, now: float) -> Ending | None:
        """What it means that an output is otherwise; None where it is as expected."""
        value = value_in(text, self.json)
        if value is None:
            return Ending(Meaning.FAILED, f"it does not tell {self.json}")
        if self.future:
            until = read_date(value, self.future, now, future=True)
            right = until is not None and until > now
        else:
            right = value in self.one_of
        return None if right else Ending(self.means, self.why or WORDS[self.means])


@frozen
class Health:
    """A command that tells how the product is, and what is expected of its output."""

    step: Step
    expect: tuple[Expectation, ...] = ()


def read_health(raw: object, where: str, errors: ValidationErrors, names: Collection[str]) -> Health | None:
    """Read how health is told; what is wrong becomes errors."""
    if not isinstance(raw, dict):
        errors.add(where, show(raw), "a mapping (a command, and what is expected of it)")
        return None
    step = read_step({key: one for key, one in raw.items() if key != "expect"}, where, errors, names)
    expected = raw.get("expect", [])
    if not isinstance(expected, list) or len(expected) > 50:
        errors.add(f"{where}.expect", show(expected), "a list of at most 50 expectations")
        return None
    found = (_expectation(one, f"{where}.expect[{index}]", errors) for index, one in enumerate(expected))
    return Health(step, tuple(one for one in found if one is not None))


def _expectation(raw: object, where: str, errors: ValidationErrors) -> Expectation | None:
    values = read_mapping(raw, path=where, known=_KNOWN, errors=errors)
    if not isinstance(raw, dict):
        return None
    if "json" not in raw:
        errors.add(f"{where}.json", "", "the place in the output")
    if ("one_of" in raw) == ("future" in raw):
        errors.add(where, f"{int('one_of' in raw) * 2} of one_of, future", "exactly one")
    values["why"] = values.pop("reason", "")
    return Expectation(**{"json": "", **values})


def _words(raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list) or not 0 < len(raw) <= 20:
        raise InvalidValue("a list of 1 to 20 words, in quotes")
    return tuple(line(one, "a word, in quotes") for one in raw)


def _sentence(raw: object) -> str:
    return line(raw, "a sentence")


_KNOWN: Mapping[str, Parser] = {
    "json": json_place,
    "one_of": _words,
    "future": date_format,
    "means": choice(Meaning),
    "reason": _sentence,
}
