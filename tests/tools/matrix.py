# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The matrix: every ansible-core that the collection supports and every Python of endpoints, as far as they are here.

What `make test` proves on one ansible-core, on the controller's Python and on the oldest one of endpoints, these steps
prove on the others. A combination whose Python is missing is skipped by name.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from . import interpreters, programs
from .interpreters import Interpreter
from .report import Outcome, Skip
from .workbench import Workbench

Version = tuple[int, int]

# Which Pythons carry each ansible-core, in an order that lets as many as possible have their turn.
CORES: dict[str, tuple[Version, ...]] = {
    "2.18": ((3, 11), (3, 12), (3, 13)),
    "2.19": ((3, 12), (3, 13), (3, 11)),
    "2.20": ((3, 12), (3, 13), (3, 14)),
    "2.21": ((3, 13), (3, 12), (3, 14)),
    "2.22": ((3, 13), (3, 14), (3, 15)),
}
TARGETS: tuple[Version, ...] = ((3, 9), (3, 10), (3, 11), (3, 12), (3, 13))
"""The Pythons of endpoints that the ansible-core of `make test` knows."""
_SANITY = ("ansible-doc", "compile", "import", "runtime-metadata", "validate-modules")
"""What depends on ansible-core's version; the others look at the same files with the same tools."""
_WITH_ANSIBLE = tuple(
    f"tests/unit/plugins/{name}" for name in ("action", "filter", "modules", "plugin_utils", "module_utils/_module")
)
"""The tests of what imports Ansible. The library below does not (``test_rings.py``): it depends on its Python alone."""


def _on_core(core: str) -> Callable[[Workbench], Outcome]:
    def step(bench: Workbench) -> Outcome:
        python = _first(CORES[core])
        if python is None:
            return _missing(f"ansible-core {core}", CORES[core])
        name = f"core-{core}"
        tools = bench.environment(name, _requirements(bench, core), python)
        tested = programs.pytest(bench, name, tools, *programs.IN_PARALLEL, *_WITH_ANSIBLE)
        sane = programs.sanity(bench, f"{name}-sanity", python, tests=_SANITY, tools=tools)
        return Outcome(f"{tested.note}; sanity: {sane.note}", (*tested.skips, *sane.skips), tested.ran)

    step.__doc__ = f"Unit tests and sanity on ansible-core {core}."
    return step


def _on_target(version: Version) -> Callable[[Workbench], Outcome]:
    def step(bench: Workbench) -> Outcome:
        python = interpreters.find(version)
        if python is None:
            return _missing(f"endpoints with Python {_dotted(version)}", (version,))
        return programs.units_of_ansible_test(bench, f"python-{python.dotted}", python)

    step.__doc__ = f"The unit tests of plugins/ under ansible-test, on Python {_dotted(version)}."
    return step


def _first(versions: tuple[Version, ...]) -> Interpreter | None:
    return next((python for python in map(interpreters.find, versions) if python is not None), None)


def _missing(what: str, versions: tuple[Version, ...]) -> Outcome:
    names = ", ".join(map(_dotted, versions))
    return Outcome(skips=(Skip(what, f"none of these Pythons is here: {names}"),), ran=False)


def _requirements(bench: Workbench, core: str) -> Path:
    """A file that asks for this ansible-core (a release candidate where there is no release yet) and for the tests."""
    path = bench.cache / "matrix" / f"core-{core}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    shared = bench.root / "tests" / "requirements" / "matrix.txt"
    path.write_text(f"ansible-core>={core}.0rc1,=={core}.*\n-r {shared}\n", encoding="utf-8")
    return path


def _dotted(version: Version) -> str:
    return "{}.{}".format(*version)


MATRIX: dict[str, Callable[[Workbench], Outcome]] = {
    **{f"core-{core}": _on_core(core) for core in CORES},
    **{f"python-{_dotted(version)}": _on_target(version) for version in TARGETS},
}
