# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The project as the tests in this directory see it: its files, its YAML, the documentation in its modules."""

from __future__ import annotations

import ast
import functools
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.epp.autoupdate.tests.tools import tree

ROOT = Path(__file__).resolve().parents[3]


def files() -> list[Path]:
    """Every file that git would track."""
    return [ROOT / name for name in tree.files(ROOT)]


@functools.cache
def load(*parts: str) -> Any:
    """A YAML file's content, which nobody may change: it is read once."""
    return yaml.safe_load(ROOT.joinpath(*parts).read_text(encoding="utf-8"))


@functools.cache
def text(*parts: str) -> str:
    """A file's text."""
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


def modules() -> list[str]:
    """The names of the modules, sorted."""
    return sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))


def filters() -> list[str]:
    """The names of the filters, sorted."""
    return sorted(path.stem for path in (ROOT / "plugins" / "filter").glob("*.yml"))


def callbacks() -> list[str]:
    """The names of the callbacks, sorted."""
    return sorted(path.stem for path in (ROOT / "plugins" / "callback").glob("*.py"))


def inventories() -> list[str]:
    """The names of the inventory plugins, sorted."""
    return sorted(path.stem for path in (ROOT / "plugins" / "inventory").glob("*.py"))


def roles() -> list[str]:
    """The names of the roles, sorted."""
    return sorted(path.name for path in (ROOT / "roles").glob("*") if path.is_dir())


def playbooks() -> list[str]:
    """The names of the playbooks, sorted."""
    return sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml") if not path.stem.endswith(".meta"))


@functools.cache
def documentation(module: str) -> dict[str, Any]:
    """The DOCUMENTATION of a module, with the options of its fragments."""
    found = yaml.safe_load(assigned(module, "DOCUMENTATION"))
    options: dict[str, Any] = {}
    for fragment in found.get("extends_documentation_fragment", []):
        options |= _fragment(fragment).get("options") or {}
    return {**found, "options": {**options, **found.get("options", {})}}


@functools.cache
def _fragment(name: str) -> dict[str, Any]:
    """A fragment of this collection, by the name by which modules extend it: ``epp.autoupdate._options.section``."""
    file, _dot, part = name.removeprefix("epp.autoupdate.").partition(".")
    module = importlib.import_module(f"ansible_collections.epp.autoupdate.plugins.doc_fragments.{file}")
    return yaml.safe_load(getattr(module.ModuleDocFragment, part.upper() or "DOCUMENTATION"))


@functools.cache
def returns(module: str) -> dict[str, Any]:
    """The RETURN of a module."""
    return yaml.safe_load(assigned(module, "RETURN")) or {}


@functools.cache
def assigned(module: str, name: str, kind: str = "modules") -> str:
    """The text of a module's DOCUMENTATION, EXAMPLES or RETURN, or of a plugin's of another kind."""
    for node in ast.parse(text("plugins", kind, f"{module}.py")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return ast.literal_eval(node.value)
    raise LookupError(f"{module} has no {name}")


def leaves(options: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every option of a specification, with its path, through all levels."""
    for name, option in (options or {}).items():
        here = f"{path}.{name}" if path else name
        yield here, option
        nested = option.get("options") or option.get("suboptions") or {}
        yield from leaves(nested, here)
