# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One word for one thing: options, variables, return values, their mention in guides, and the names of the library."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from . import repository

OPTIONS = {
    "root": "installroot",
    "cap": "max_in_flight",
    "cap_peak": "max_in_flight_peak",
    "cap_off_peak": "max_in_flight_off_peak",
    "notify.retry_after": "retry_delay",
    "hold": "lease",
    "keep": "offline_ttl, or keep_cdiffs",
    "phase": "offset",
}
RETURNS = {
    "why": "reason",
    "broken": "failed_endpoints",
    "unfinished": "pending",
    "corrections": "drift",
    "origins": "provenance",
    "notice.stage": "status",
    "endpoints.stage": "status",
    "stages": "statuses",
    "cap": "max_in_flight",
}
TEXTS = {
    "status_info": "endpoint_info",
    "autoupdate_hosts": "--limit, and the groups autoupdate_servers and autoupdate_endpoints",
    "__autoupdate_servers": "autoupdate_servers",
    "autoupdate_root": "autoupdate_installroot",
    "tree effective": "tree explain",
    "autoupdate_server_root": "autoupdate_server_installroot",
    **{f"``{name}``": word for name, word in {**OPTIONS, **RETURNS}.items() if name not in ("root", "keep")},
}
"""Words that were given up, and what is said instead."""
NAMES = {
    "Adopted": "TrustedConfiguration",
    "Basis": "Enrollment",
    "CoolDown": "RateLimited",
    "Entry": "Resource",
    "Errand": "Dispatch",
    "Fault": "ValidationError",
    "Faults": "ValidationErrors",
    "Getter": "HttpClient",
    "Heard": "SendResult",
    "Inquiry": "ConfigurationUpdater",
    "Issue": "Header",
    "Order": "UpdateCommand",
    "RightsKeeper": "PrivilegeBackend",
    "Sealed": "Envelope",
    "SourceMemory": "SourceCache",
    "Told": "Response",
    "Unfit": "InvalidValue",
    "Vouching": "ManifestVerifier",
    "Witness": "RecordingHost",
    "drawn": "random_fraction",
    "patience": "send_timeout",
    "settle": "reconcile",
}
"""Classes and functions of the library, as the field calls them."""
WRITTEN = ("README.md", "roles", "playbooks", "docs", "meta", "demo", "changelogs/fragments", "plugins/modules")


SPELLINGS = {
    "catalog[u]e": "catalog",
    "enro[l](?!l)": "enroll",
    "behavio[u]r": "behavior",
    "licen[c]e": "license",
    "synchroni[s]": "synchronize",
    "normali[s](e|ing)": "normalize",
}
"""What stands in no file, as patterns that do not fit themselves."""

PARTS = sorted((repository.ROOT / "plugins").rglob("*.py"))


def given_up(path: str, words: dict[str, str]) -> str | None:
    """What is said instead of the last names of a path, where they were given up."""
    return next((word for name, word in words.items() if f".{path}".endswith(f".{name}")), None)


def of_returns(returns: dict[str, Any], above: str = "") -> list[str]:
    paths = []
    for name, value in (returns or {}).items():
        paths += [above + name, *of_returns(value.get("contains"), f"{above}{name}.")]
    return paths


@pytest.mark.parametrize("module", repository.modules())
def test_a_module_has_no_option_or_return_value_by_a_name_that_was_given_up(module: str) -> None:
    options = [path for path, _option in repository.leaves(repository.documentation(module).get("options", {}))]
    assert {path: given_up(path, OPTIONS) for path in options if given_up(path, OPTIONS)} == {}
    returned = of_returns(repository.returns(module))
    assert {path: given_up(path, RETURNS) for path in returned if given_up(path, RETURNS)} == {}


@pytest.mark.parametrize("role", repository.roles())
def test_a_role_has_no_variable_by_a_name_that_was_given_up(role: str) -> None:
    options = repository.load("roles", role, "meta", "argument_specs.yml")["argument_specs"]["main"]["options"]
    found = {path: given_up(path, OPTIONS) for path, _option in repository.leaves(options)}
    assert {path: word for path, word in found.items() if word} == {}


def test_no_guide_and_no_playbook_says_a_word_that_was_given_up() -> None:
    found = [
        f"{path.relative_to(repository.ROOT)}: {word} ({TEXTS[word]})"
        for path in repository.files()
        if path.relative_to(repository.ROOT).as_posix().startswith(WRITTEN) and path.suffix not in (".svg", ".png")
        for word in sorted(set(_PATTERN.findall(path.read_text(encoding="utf-8"))))
    ]
    assert found == []


@pytest.mark.parametrize("other", SPELLINGS, ids=SPELLINGS.values())
def test_each_word_has_one_spelling(other: str) -> None:
    """American English, as Ansible's own documentation has it."""
    other_one = re.compile(other, re.IGNORECASE)
    texts = {path: path.read_bytes().decode("utf-8", "replace") for path in repository.files()}
    found = [path.relative_to(repository.ROOT).as_posix() for path, text in texts.items() if other_one.search(text)]
    assert [path for path in found if not path.startswith("LICENSE")] == []


def definitions(source: str) -> set[str]:
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)}


@pytest.mark.parametrize("path", PARTS, ids=lambda path: path.relative_to(repository.ROOT).as_posix())
def test_the_library_speaks_the_words_of_its_field(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert {name: NAMES[name] for name in definitions(source) & set(NAMES)} == {}
    assert not (ast.get_docstring(ast.parse(source)) or "").startswith("Private"), "its underscore says so"


_PATTERN = re.compile("|".join(rf"(?<![\w.]){re.escape(word)}(?!\w)" for word in TEXTS))
