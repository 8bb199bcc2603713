# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Frozen values behave as frozen dataclasses do, which are the specification here."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core import values


@values.frozen
class Point:
    """A value."""

    x: int
    y: int = 2
    tags: dict[str, int] = values.field(default_factory=dict)
    secret: bytes = values.field(default=b"", repr=False)


@dataclasses.dataclass(frozen=True)
class Reference:
    """What Point has to behave like."""

    x: int
    y: int = 2
    tags: dict[str, int] = dataclasses.field(default_factory=dict)
    secret: bytes = dataclasses.field(default=b"", repr=False)


@values.frozen
class Line:
    """A value of values."""

    points: tuple[Point, ...]
    name: str | None = None

    def __post_init__(self) -> None:
        if not self.points:
            raise ValueError("no points")


@pytest.mark.parametrize(
    ("given", "named"),
    [((1,), {}), ((1, 5), {}), ((), {"x": 1, "secret": b"s"}), ((1, 2, {"a": 1}), {}), ((), {"y": 3, "x": 1})],
)
def test_like_a_dataclass(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    one, reference = Point(*given, **named), Reference(*given, **named)
    assert repr(one) == repr(reference).replace("Reference", "Point")
    assert values.asdict(one) == dataclasses.asdict(reference)
    assert values.field_names(Point) == tuple(field.name for field in dataclasses.fields(Reference))
    assert one == Point(*given, **named)
    assert values.replace(one, y=9) != one
    assert values.replace(one, y=9).y == 9


@pytest.mark.parametrize(
    ("given", "named"), [((), {}), ((), {"y": 1}), ((1,), {"x": 1}), ((1,), {"z": 1}), ((1, 2, {}, b"", 5), {})]
)
def test_wrong_calls_are_type_errors(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    for cls in (Point, Reference):
        with pytest.raises(TypeError):
            cls(*given, **named)
    with pytest.raises(TypeError):
        values.replace(Point(1), z=1)


def test_values_are_frozen() -> None:
    one = Point(1)
    with pytest.raises(AttributeError, match="frozen"):
        one.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        del one.x


def test_equality_is_of_the_same_class_only() -> None:
    @values.frozen
    class Other:
        x: int
        y: int = 2

    @values.frozen
    class Same:
        x: int
        y: int = 2

    assert Other(1) != Same(1)
    assert Other(1) == Other(1)
    assert len({Other(1), Other(1), Same(1), Other(2)}) == 3
    assert Other(1) != (1, 2)


def test_defaults_are_not_shared() -> None:
    assert Point(1).tags is not Point(1).tags
    with pytest.raises(TypeError, match="mutable default"):

        @values.frozen
        class Wrong:
            items: list[int] = []  # noqa: RUF012  # the mistake under test


def test_values_in_values_and_checks() -> None:
    line = Line((Point(1), Point(2)), name="a")
    assert values.asdict(line)["points"][1]["x"] == 2
    with pytest.raises(ValueError, match="no points"):
        Line(())
    with pytest.raises(ValueError, match="no points"):
        values.replace(line, points=())


def test_a_value_without_fields_is_one_like_any_other() -> None:
    @values.frozen
    class Nothing:
        """No field."""

    assert (Nothing() == Nothing(), repr(Nothing()), values.asdict(Nothing())) == (True, "Nothing()", {})
