# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The definition of one product, read with complete validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..policy.enums import DAY
from ..system_files.vendor_updaters import Program
from ..validation.errors import ValidationErrors, join, show
from ..validation.parsers import InvalidValue, Parser, duration, listing, read_mapping
from ..validation.strings import argument, directory, line
from ..values import field, frozen
from .about import KEYS as ABOUT
from .about import About, read_pages
from .arguments import NAME, PATHS, Setting
from .health import Health, read_health
from .steps import Step, read_step, read_steps
from .versions import VersionSource, read_components

FORMAT = 1
_RUNS = ("update", "reload", "restore", "probe")
_CAPABILITIES = frozenset(
    f"CAP_{name}"
    for name in (
        *("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "NET_ADMIN", "NET_RAW"),
        *("SETGID", "SETUID", "SYS_ADMIN", "SYS_NICE", "SYS_PTRACE"),
    )
)
_DEEPEST = 10
_AS_USER = ("CAP_SETGID", "CAP_SETUID")


@frozen
class Definition:
    """One product as data: what is started, what is read, what endings mean. ``plain`` is all of it as it was given.

    ``update`` is empty for a product that is observed only. ``reload`` runs after a version has changed.
    ``settings`` are the values of placeholders; ``writes`` the directories that a hardened unit has to leave writable.
    ``shortest_interval`` is how many seconds the vendor wants between two updates.
    """

    name: str
    plain: Mapping[str, Any] = field(default_factory=dict)
    about: About = About()
    settings: Mapping[str, Setting] = field(default_factory=dict)
    components: Mapping[str, VersionSource] = field(default_factory=dict)
    minimum_versions: Mapping[str, str] = field(default_factory=dict)
    update: tuple[Step, ...] = ()
    reload: tuple[Step, ...] = ()
    restore: tuple[Step, ...] = ()
    probe: tuple[Step, ...] = ()
    health: Health | None = None
    scan: Step | None = None
    shortest_interval: int = 0
    writes: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    vendor_updaters: tuple[Program, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All commands that an update may start."""
        health = (self.health.step,) if self.health else ()
        return (*self.update, *self.reload, *self.restore, *self.probe, *health)

    @property
    def changes_user(self) -> bool:
        """Whether any command is started as another user."""
        return any(step.user for step in self.steps) or any(one.user for one in self.components.values())

    @property
    def scan_capabilities(self) -> tuple[str, ...]:
        """What it takes to start the scan as another user."""
        return _AS_USER if self.scan is not None and self.scan.user else ()

    def needed_capabilities(self) -> tuple[str, ...]:
        """Those that are named, and what it takes to start a command as another user."""
        return tuple(sorted({*self.capabilities, *(_AS_USER if self.changes_user else ())}))


def read_definition(name: str, raw: object, where: str, errors: ValidationErrors) -> Definition:
    """Read the definition of the product ``name``; what is wrong becomes errors with paths below ``where``."""
    plain = _texts_as_keys(raw)
    values = read_mapping(plain, path=where, known=_KEYS, errors=errors)
    if not isinstance(plain, dict):
        return Definition(name)
    for key in ("format", "components"):
        if key not in plain:
            errors.add(f"{where}.{key}", "", "there" if key == "components" else f"the number {FORMAT}")
    settings = read_settings(values.get("settings", {}), f"{where}.settings", errors)
    parts = {name: read for name, read in _PARTS.items() if name in values}
    read = {name: part(values[name], f"{where}.{name}", errors, settings) for name, part in parts.items()}
    read["settings"] = settings
    pages = read_pages(values.get("pages", []), f"{where}.pages", errors)
    about = About(pages=pages, **{key: values[key] for key in ABOUT if key in values})
    simple = {key: values[key] for key in _SIMPLE if key in values}
    for key in set(simple.get("minimum_versions", {})) - set(read.get("components", {})):
        errors.add(join(f"{where}.minimum_versions", key), show(key), "one of the components")
    return Definition(name, plain=plain, about=about, **read, **simple)


def read_settings(raw: object, where: str, errors: ValidationErrors) -> dict[str, Setting]:
    """Read the values of placeholders; what is wrong becomes errors."""
    if not isinstance(raw, dict) or len(raw) > 50:
        errors.add(where, show(raw), "a mapping of placeholders to texts or lists of texts")
        return {}
    found: dict[str, Setting] = {}
    for name, one in raw.items():
        if not isinstance(name, str) or not NAME.fullmatch(name) or name == PATHS:
            errors.add(join(where, name), show(name), f"a placeholder's name (small letters, digits, _; not {PATHS})")
            continue
        try:
            found[name] = listing(argument, unique=False)(one) if isinstance(one, list) else argument(one)
        except InvalidValue as unfit:
            unfit.report(errors, join(where, name), one)
    return found


def _scan(raw: object, where: str, errors: ValidationErrors, names: Mapping[str, Setting]) -> Step:
    step = read_step(raw, where, errors, names, scan=True)
    if isinstance(raw, dict) and "findings" not in raw:
        errors.add(f"{where}.findings", "", "the pattern of a line that tells a finding")
    return step


def _updaters(raw: object, where: str, errors: ValidationErrors, _names: Mapping[str, Setting]) -> tuple[Program, ...]:
    if not isinstance(raw, list) or len(raw) > 20:
        errors.add(where, show(raw), "a list of at most 20 programs")
        return ()
    found = []
    for index, one in enumerate(raw):
        values = read_mapping(one, path=f"{where}[{index}]", known=_UPDATER, errors=errors)
        if isinstance(one, dict) and "name" not in one:
            errors.add(f"{where}[{index}].name", "", "the name of a program's file")
        if "name" in values:
            found.append(Program(**values))
    return tuple(found)


def _texts_as_keys(raw: Any, depth: int = 0) -> Any:
    """The document with texts as keys, as JSON has them: YAML takes an exit code for a number.

    What lies deeper than any definition is left out, which is told as something that is not allowed there.
    """
    if depth > _DEEPEST and isinstance(raw, (dict, list)):
        return None
    if isinstance(raw, dict):
        return {
            str(key) if isinstance(key, int) and not isinstance(key, bool) else key: _texts_as_keys(one, depth + 1)
            for key, one in raw.items()
        }
    return [_texts_as_keys(one, depth + 1) for one in raw] if isinstance(raw, list) else raw


def _format(raw: object) -> int:
    if isinstance(raw, bool) or raw != FORMAT or not isinstance(raw, int):
        raise InvalidValue(f"the number {FORMAT}, the only format of definitions known here")
    return raw


def _capability(raw: object) -> str:
    if raw not in _CAPABILITIES:
        raise InvalidValue(f"one of {', '.join(sorted(_CAPABILITIES))}")
    return str(raw)


def _program_name(raw: object) -> str:
    text = line(raw, "the name of a program's file")
    if "/" in text or " " in text:
        raise InvalidValue("the name of a program's file, without its directory")
    return text


def _versions(raw: object) -> dict[str, str]:
    if not isinstance(raw, dict) or len(raw) > 20:
        raise InvalidValue("a mapping of components to versions, in quotes")
    return {str(name): line(one, "a version, in quotes") for name, one in raw.items()}


def _as_is(raw: object) -> object:
    return raw


_PARTS: Mapping[str, Callable[..., Any]] = {
    **dict.fromkeys(_RUNS, read_steps),
    "components": read_components,
    "health": read_health,
    "scan": _scan,
    "vendor_updaters": _updaters,
}
_UPDATER: Mapping[str, Parser] = {
    "name": _program_name,
    **dict.fromkeys(("idle", "only", "besides", "reloads"), listing(argument)),
}
_SIMPLE: Mapping[str, Parser] = {
    "minimum_versions": _versions,
    "shortest_interval": duration(1, 7 * DAY),
    "writes": listing(directory),
    "capabilities": listing(_capability),
}
_KEYS: Mapping[str, Parser] = {
    "format": _format,
    **ABOUT,
    "pages": _as_is,
    **dict.fromkeys(("settings", *_PARTS), _as_is),
    **_SIMPLE,
}
