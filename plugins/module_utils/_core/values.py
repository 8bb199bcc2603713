# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Frozen values, as frozen dataclasses are, but cheap to define.

The agent starts hundreds of times a day on every endpoint and hardly ever has anything to do. The standard library
generates and compiles six functions for each dataclass at each start; for the library's fifty that was more than a
third of a start. Here one set of functions serves all classes. For a type checker it is a frozen dataclass.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for True; to import typing for it would cost a start a tenth
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Callable, TypeVar

    from typing_extensions import dataclass_transform

    T = TypeVar("T")
else:

    def dataclass_transform(**_options):
        return lambda decorator: decorator


class _Missing:
    """Stands where there is no default."""


class _Field:
    def __init__(self, default: Any, make: Callable[[], Any] | None, *, shown: bool) -> None:
        self.default = default
        self.make = make
        self.shown = shown

    def initial(self, where: str) -> Any:
        if self.make is not None:
            return self.make()
        if self.default is _Missing:
            raise TypeError(f"{where} is missing")
        return self.default


def field(
    *,
    default: Any = _Missing,
    default_factory: Callable[[], Any] | None = None,
    repr: bool = True,  # noqa: A002  # the word that dataclasses and type checkers know
) -> Any:
    """A field whose default is made anew for each value, or that is left out of the representation."""
    return _Field(default, default_factory, shown=repr)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Make a class of annotated fields a frozen value: comparable, hashable, with defaults, without inheritance."""
    # Python 3.9 gives a class without fields no annotations.
    declared = {name: cls.__dict__.get(name, _Missing) for name in getattr(cls, "__annotations__", {})}
    known = {name: one if isinstance(one, _Field) else _Field(one, None, shown=True) for name, one in declared.items()}
    for name, one in known.items():
        if isinstance(declared[name], _Field):
            delattr(cls, name)
        elif one.default is not _Missing and one.default.__hash__ is None:
            raise TypeError(f"{cls.__name__}.{name}: a mutable default would be shared by all values")
    methods: dict[str, Any] = {"__fields": known, "__init__": _init, "__repr__": _repr}
    methods.update(__eq__=_eq, __hash__=_hash, __setattr__=_refuse, __delattr__=_refuse)
    for name, method in methods.items():
        setattr(cls, name, method)
    return cls


def replace(original: T, **changes: Any) -> T:
    """The same value with some fields changed."""
    return type(original)(**{**_state(original), **changes})


def asdict(original: Any) -> dict[str, Any]:
    """The fields of a value as plain data, values inside it included."""
    return {name: _plain(content) for name, content in _state(original).items()}


def field_names(cls: type) -> tuple[str, ...]:
    """The names of a value's fields, in their order."""
    return tuple(_fields(cls))


def _fields(cls: type) -> Mapping[str, _Field]:
    known: Mapping[str, _Field] = getattr(cls, "__fields")  # no name mangling in a string
    return known


def _state(one: Any) -> dict[str, Any]:
    return {name: one.__dict__[name] for name in _fields(type(one))}


def _plain(content: Any) -> Any:
    if hasattr(type(content), "__fields"):
        return asdict(content)
    if isinstance(content, (list, tuple)):
        return type(content)(_plain(item) for item in content)
    if isinstance(content, dict):
        return {key: _plain(item) for key, item in content.items()}
    return content


def _init(self: Any, *given: Any, **named: Any) -> None:
    cls = type(self)
    known = _fields(cls)
    if len(given) > len(known):
        raise TypeError(f"{cls.__name__} takes {len(known)} values, not {len(given)}")
    positional = dict(zip(known, given))
    wrong = [name for name in named if name not in known or name in positional]
    if wrong:
        raise TypeError(f"{cls.__name__}: {', '.join(wrong)} is unknown or given twice")
    state = {**positional, **named}
    for name, one in known.items():
        self.__dict__[name] = state[name] if name in state else one.initial(f"{cls.__name__}.{name}")
    check = getattr(self, "__post_init__", None)
    if check is not None:
        check()


def _repr(self: Any) -> str:
    shown = (f"{name}={self.__dict__[name]!r}" for name, one in _fields(type(self)).items() if one.shown)
    return f"{type(self).__name__}({', '.join(shown)})"


def _eq(self: Any, other: object) -> Any:
    return _state(self) == _state(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash((type(self), *_state(self).values()))


def _refuse(self: Any, name: str, *_value: Any) -> None:
    raise AttributeError(f"{type(self).__name__}.{name} can't be changed: values are frozen")
