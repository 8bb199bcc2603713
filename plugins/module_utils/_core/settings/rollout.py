# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rings of each product and when they pass a version on (section ``rollout`` of the server's settings; G1, G2, G4).

A key of a product holds for all of its rings; a ring may set its own value under the same name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..durations import format_duration
from ..policy.clocks import stored_zone, zone_name
from ..policy.enums import DAY, Weekday
from ..validation.errors import ValidationErrors, join, show
from ..validation.parsers import InvalidValue, Parser, boolean, choice, duration, integer, listing, read_mapping
from ..validation.strings import domain_path, endpoint_name, line, ring_name
from ..values import field, frozen
from .concurrency import HourRange
from .endpoint_keys import ProductKind

MOST_RINGS = 20
_PERCENT = re.compile(r"([0-9]{1,2}|100) ?%")
_HOUR = 3600


@frozen
class FailureThreshold:
    """How many failures a ring may have: a ``count``, or a ``percent`` of those that count. Beyond it, it is halted."""

    count: int | None = None
    percent: int | None = None

    def exceeded(self, failed: int, eligible: int) -> bool:
        """Whether so many failures are too many."""
        return failed > self.count if self.count is not None else failed * 100 > (self.percent or 0) * eligible

    def plain(self) -> int | str:
        return self.count if self.count is not None else f"{self.percent}%"


@frozen
class Thresholds:
    """When a ring has passed a version, and when it is halted. Times are seconds, ``success`` is percent.

    ``minimum_finished`` is how many of a ring must have finished before a percentage counts.
    """

    bake_time: int = 4 * _HOUR
    success_threshold: int = 95
    failure_threshold: FailureThreshold = FailureThreshold(percent=5)
    minimum_finished: int = 1
    silence: int = 26 * _HOUR
    deadline: int = 7 * DAY

    def to_dict(self) -> dict[str, Any]:
        return {
            "bake_time": format_duration(self.bake_time),
            "success_threshold": self.success_threshold,
            "failure_threshold": self.failure_threshold.plain(),
            "minimum_finished": self.minimum_finished,
            "silence": format_duration(self.silence),
            "deadline": format_duration(self.deadline),
        }


@frozen
class Ring:
    """One ring: who is named as its member, and what it sets itself (``own``), as the settings hold it.

    ``permille`` is its share of the endpoints that no ring names, in tenths of a percent.
    """

    name: str
    domains: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    permille: int = 0
    thresholds: Thresholds = Thresholds()
    own: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        members: dict[str, Any] = {"domains": list(self.domains), "endpoints": list(self.endpoints)}
        members["percent"] = _plain_percent(self.permille)
        mine = {key: one for key, one in self.thresholds.to_dict().items() if key in self.own}
        return {"name": self.name, **{key: one for key, one in members.items() if one}, **mine}


@frozen
class PromotionHours:
    """When a version may be offered to the next ring; no days, or no hours, are all of them."""

    days: tuple[Weekday, ...] = ()
    hours: tuple[HourRange, ...] = ()
    timezone: str = "UTC"

    def to_dict(self) -> dict[str, Any]:
        days, hours = [day.value for day in self.days], [str(span) for span in self.hours]
        return {"days": days, "hours": hours, "timezone": self.timezone}


@frozen
class ProductRollout:
    """The rings of one product, in their order; the last one has everybody whom no other ring has.

    With ``dry_run`` everybody is offered the newest version, and the decisions are recorded only.
    """

    rings: tuple[Ring, ...]
    thresholds: Thresholds = Thresholds()
    promotion: PromotionHours = PromotionHours()
    dry_run: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The settings in their canonical form, which ``read_rollout`` reads back as the same value."""
        rings = [ring.to_dict() for ring in self.rings]
        more = {"promotion": self.promotion.to_dict(), "dry_run": self.dry_run}
        return {"rings": rings, **self.thresholds.to_dict(), **more}

    def ring(self, name: str) -> Ring:
        """The ring of this name; KeyError."""
        return next((ring for ring in self.rings if ring.name == name), None) or _no_ring(name)


def _no_ring(name: str) -> Ring:
    raise KeyError(name)


@frozen
class RolloutSettings:
    """The section ``rollout``, by product; a product without an entry has no rings, and nothing is staged."""

    products: Mapping[str, ProductRollout] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, raw: object, path: str = "rollout", *, stored: bool = False) -> RolloutSettings:
        """Read the section; raises InvalidDocument with all its errors. A ``stored`` zone may be unknown here."""
        errors = ValidationErrors()
        sections = read_mapping(raw, path=path, known=_PRODUCTS, errors=errors)
        found = {
            name: _product(section, join(path, name), errors, stored=stored)
            for name, section in sections.items()
            if section is not None
        }
        errors.check()
        return cls({name: found[name] for name in sorted(found)})

    def to_dict(self) -> dict[str, Any]:
        """The section in its canonical form, which ``from_dict`` reads back as the same value."""
        return {name: product.to_dict() for name, product in self.products.items()}


def _product(raw: object, path: str, errors: ValidationErrors, *, stored: bool) -> ProductRollout:
    values = read_mapping(raw, path=path, known=_PRODUCT, errors=errors)
    if isinstance(raw, dict) and "rings" not in raw:
        errors.add(f"{path}.rings", "", f"a list of 1 to {MOST_RINGS} rings")
    common = {key: values[key] for key in _THRESHOLDS if key in values}
    thresholds = Thresholds(**common)
    _check_times(thresholds, path, common, errors)
    rings = tuple(
        _ring(one, f"{path}.rings[{index}]", common, errors) for index, one in enumerate(values.get("rings", ()))
    )
    _check_rings(rings, f"{path}.rings", errors)
    known = {**_PROMOTION, "timezone": stored_zone} if stored else _PROMOTION
    promotion = read_mapping(values.get("promotion", {}), path=f"{path}.promotion", known=known, errors=errors)
    return ProductRollout(rings, thresholds, PromotionHours(**promotion), values.get("dry_run", False))


def _ring(raw: object, path: str, common: Mapping[str, Any], errors: ValidationErrors) -> Ring:
    values = read_mapping(raw, path=path, known=_RING, errors=errors)
    if isinstance(raw, dict) and "name" not in raw:
        errors.add(f"{path}.name", "", "the ring's name")
    own = {key: values[key] for key in _THRESHOLDS if key in values}
    thresholds = Thresholds(**{**common, **own})
    if own:
        _check_times(thresholds, path, own, errors)
    members = {key: values[key] for key in ("domains", "endpoints") if key in values}
    return Ring(
        values.get("name", ""), **members, permille=values.get("percent", 0), thresholds=thresholds, own=tuple(own)
    )


def _check_times(thresholds: Thresholds, path: str, given: Mapping[str, Any], errors: ValidationErrors) -> None:
    """A ring that may never pass in time would always be halted."""
    if thresholds.deadline <= thresholds.bake_time:
        key = "deadline" if "deadline" in given else "bake_time"
        end, bake = format_duration(thresholds.deadline), format_duration(thresholds.bake_time)
        found = end if key == "deadline" else bake
        what = f"longer than bake_time ({bake})" if key == "deadline" else f"shorter than deadline ({end})"
        errors.add(f"{path}.{key}", f'"{found}"', what)


def _check_rings(rings: tuple[Ring, ...], path: str, errors: ValidationErrors) -> None:
    """What each ring allows but all together do not: a name or a member twice, shares beyond the whole, nobody."""
    for key in ("name", "domains", "endpoints"):
        seen: dict[str, int] = {}
        for index, ring in enumerate(rings):
            mine = getattr(ring, key)
            for one in (mine,) if isinstance(mine, str) else mine:
                if one and seen.setdefault(one, index) != index:
                    errors.add(f"{path}[{index}].{key}", show(one), f"in one ring only (it is in {path}[{seen[one]}])")
    total = sum(ring.permille for ring in rings)
    if total > 1000:
        errors.add(path, f"shares of {_plain_percent(total)} % together", "at most 100 % of the rest")
    for index, ring in enumerate(rings[:-1]):
        if not (ring.domains or ring.endpoints or ring.permille or errors.found):
            errors.add(f"{path}[{index}]", "a ring without members", "one with domains, endpoints or percent")
    if rings and rings[-1].permille:
        found = f"{_plain_percent(rings[-1].permille)}"
        errors.add(f"{path}[{len(rings) - 1}].percent", found, "possible in the last ring (it has all the rest)")


def _plain_percent(permille: int) -> int | float:
    return permille // 10 if permille % 10 == 0 else permille / 10


def _permille(raw: object) -> int:
    allowed = "a percentage from 0.1 to 100, with one decimal at most"
    if isinstance(raw, bool) or not isinstance(raw, (int, float)) or not 0.1 <= raw <= 100:
        raise InvalidValue(allowed)
    tenths = round(raw * 10)
    if abs(tenths - raw * 10) > 1e-6:
        raise InvalidValue(allowed)
    return tenths


def _failures(raw: object) -> FailureThreshold:
    """A count, as number or text, or a percentage."""
    if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw <= 1_000_000:
        return FailureThreshold(count=raw)
    if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) <= 6:
        return FailureThreshold(count=int(raw))
    match = _PERCENT.fullmatch(raw) if isinstance(raw, str) else None
    if match is None:
        raise InvalidValue("a count of endpoints (3), or a percentage (5%)")
    return FailureThreshold(percent=int(match[1]))


def _span(raw: object) -> HourRange:
    try:
        return HourRange.parse(line(raw, "hours"))
    except ValueError:
        raise InvalidValue("hours of the day (try 08:00-18:00)") from None


def _as_is(raw: object) -> object:
    return raw


def _domain(raw: object) -> str:
    path = domain_path(raw)
    if not path:
        raise InvalidValue("a domain below the root (whom no ring names is in the last one)")
    return path


_THRESHOLDS: Mapping[str, Parser] = {
    "bake_time": duration(0, 90 * DAY),
    "success_threshold": integer(1, 100),
    "failure_threshold": _failures,
    "minimum_finished": integer(1, 1_000_000),
    "silence": duration(60, 366 * DAY),
    "deadline": duration(60, 366 * DAY),
}
_RING: Mapping[str, Parser] = {
    "name": ring_name,
    "domains": listing(_domain, most=1000),
    "endpoints": listing(endpoint_name, most=10_000),
    "percent": _permille,
    **_THRESHOLDS,
}
_PROMOTION: Mapping[str, Parser] = {"days": listing(choice(Weekday)), "hours": listing(_span), "timezone": zone_name}
_PRODUCT: Mapping[str, Parser] = {
    "rings": listing(_as_is, least=1, most=MOST_RINGS, unique=False),
    **_THRESHOLDS,
    "promotion": _as_is,
    "dry_run": boolean,
}
_PRODUCTS: Mapping[str, Parser] = {kind.value: _as_is for kind in ProductKind}
