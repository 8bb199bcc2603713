# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done to each server, in this order; the fleet is the same for every run of one size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

from program import Program

DOMAINS = 100
SHARDS = 256
_LIFETIME_DAYS = 14


def fleet(count: int) -> dict[str, Any]:
    """Endpoints in domains two deep, every tenth of them with a value of its own."""
    domains = [f"region-{number % 10}/site-{number}" for number in range(DOMAINS)]
    endpoints = []
    for number in range(count):
        name = f"endpoint-{number:06}.example.com"
        one: dict[str, Any] = {"name": name, "domain": domains[number % DOMAINS], "address": f"{name}:22"}
        if number % 10 == 0:
            one["policy"] = {"privileges": {"go_roaming": True}}
        endpoints.append(one)
    return {"root": {"schedule": {"window": "4h"}}, "domains": dict.fromkeys(domains), "endpoints": endpoints}


@dataclass(frozen=True)
class Step:
    """One command; ``published`` is how many documents it has to publish, None for any number.

    ``again`` is whether a second run costs the same: only then rounds make a median.
    """

    title: str
    words: tuple[str, ...]
    make: Callable[[int, int], object] = lambda _count, _number: None
    published: int | None = None
    again: bool = True
    before: Callable[[Program, int, int], None] = lambda _program, _count, _number: None

    def arguments(self, count: int) -> list[str]:
        return [_one(count) if word == "ENDPOINT" else word for word in self.words]

    def document(self, count: int, number: int) -> object:
        return self.make(count, number)

    def prepare(self, program: Program, count: int, number: int) -> None:
        self.before(program, count, number)


def _one(count: int) -> str:
    return f"endpoint-{count // 2:06}.example.com"


def _values(scope: str, name: Callable[[int], str]) -> Callable[[int, int], object]:
    """A change of one key at one node, another one in each round."""

    def make(count: int, number: int) -> object:
        return {"scope": scope, "name": name(count), "values": {"schedule": {"start": f"{number % 24:02}:30"}}}

    return make


def _newcomer(_count: int, number: int) -> object:
    return {"endpoints": [{"name": f"newcomer-{number}.example.com", "domain": "region-0/site-0"}]}


def _other_lifetime(program: Program, _count: int, number: int) -> None:
    program.settings(configuration={"lifetime": f"{_LIFETIME_DAYS - 1 - number}d"})


STEPS = (
    Step("bulk registration", ("register",), lambda count, _number: fleet(count), SHARDS + 1, again=False),
    Step("the same again: no change", ("register",), lambda count, _number: fleet(count), 0),
    Step("root change", ("tree", "set"), _values("root", lambda _count: ""), 1),
    Step("domain change", ("tree", "set"), _values("domain", lambda _count: "region-3/site-3"), 1),
    Step("one endpoint's change", ("tree", "set"), _values("endpoint", _one), 1),
    Step("one endpoint more", ("register",), _newcomer, 1),
    Step("explain", ("tree", "explain", "ENDPOINT", "--json")),
    Step("first full publication", ("publish", "--json"), published=1, again=False),
    Step("publish: nothing is due", ("publish", "--json"), published=0),
    Step("publish: all signed anew", ("publish", "--json"), published=SHARDS + 2, before=_other_lifetime),
    Step("list all endpoints", ("endpoints", "--json")),
    Step("verify", ("verify", "--json")),
)
