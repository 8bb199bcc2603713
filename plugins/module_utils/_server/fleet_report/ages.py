# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How old the components of endpoints are, by the date that the product itself gives them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Union

from ..._core.policy.enums import DAY
from ..._core.timestamps import unix
from ..._core.values import frozen
from .columns import NEVER, TRUNCATED, Missing
from .counts import counted
from .facts import EndpointFacts

BOUNDS = (0, 1, 2, 3, 7, 14, 30)
"""Where the classes of ages begin, in days; the last one has no end."""
_MOST = 12
_TOP = 5


@frozen
class ComponentKey:
    """A component of a product."""

    product: str
    name: str

    @property
    def column(self) -> str:
        return f"age:{self.product}/{self.name}"


def components(facts: Sequence[EndpointFacts]) -> tuple[list[ComponentKey], int]:
    """The components that most endpoints have, and how many others there are."""
    found: Counter[ComponentKey] = Counter()
    for one in facts:
        if one.report is not None:
            product = str(one.report.status.get("product", ""))
            found.update(ComponentKey(product, name) for name in {c["name"] for c in _components(one)})
    ordered = sorted(found, key=lambda key: (-found[key], key.product, key.name))
    return sorted(ordered[:_MOST], key=lambda key: (key.product, key.name)), max(0, len(ordered) - _MOST)


def age_of(one: EndpointFacts, key: ComponentKey, now: float) -> Union[int, Missing]:
    """The age of a component on an endpoint in whole days, or why it is not known."""
    if one.report is None:
        return NEVER
    if one.report.status.get("product") != key.product:
        return Missing("it has another product")
    if one.report.status.get("truncated"):
        return TRUNCATED
    component = next((c for c in _components(one) if c["name"] == key.name), None)
    if component is None:
        return Missing("it is not installed")
    if component["built"] is None:
        return Missing("the product gives no date for it")
    return max(0, int(now - unix(component["built"])) // DAY)


def ages(
    key: ComponentKey,
    facts: Sequence[EndpointFacts],
    known: Sequence[Union[int, Missing]],
    published: Mapping[str, Any],
) -> dict[str, Any]:
    """The ages of one component, counted in classes; ``published`` has versions by product and component."""
    classes = Counter(
        max(begin for begin in BOUNDS if begin <= days) for days in known if not isinstance(days, Missing)
    )
    ends = (*BOUNDS[1:], None)
    mine = (c["version"] for one in facts if _has(one, key) for c in _components(one) if c["name"] == key.name)
    return {
        "product": key.product,
        "name": key.name,
        "column": key.column,
        "published": published.get(key.product, {}).get(key.name),
        "ages": [{"from": begin, "to": end, "endpoints": classes[begin]} for begin, end in zip(BOUNDS, ends)],
        "missing": counted(str(days) for days in known if isinstance(days, Missing)),
        "versions": counted(mine, _TOP),
    }


def _has(one: EndpointFacts, key: ComponentKey) -> bool:
    return one.report is not None and one.report.status.get("product") == key.product


def _components(one: EndpointFacts) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = one.report.status.get("components", ()) if one.report else ()
    return found
