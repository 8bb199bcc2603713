# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a playbook gives becomes plain values, and the module brings the whole agent along."""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.keys import KEYS
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint_keys import _KEYS
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.server import ServerSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import payload as agent
from ansible_collections.epp.autoupdate.plugins.module_utils._module import documents, server_specs, specs
from ansible_collections.epp.autoupdate.plugins.module_utils._server import payload as server

LIBRARY = Path(agent.__file__).parent.parent


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ({"ordinal": "4", "files": {"a": "2"}}, {"ordinal": 4, "files": {"a": "2"}}),
        ({"policy": {"schedule": {"interval": "2"}}}, {"policy": {"schedule": {"interval": 2}}}),
        ({"ordinal": None, "policy": {"events": None, "schedule": {"day": None}}}, {"policy": {"schedule": {}}}),
        ({"ordinal": "", "installroot": "", "domain": ""}, {"domain": ""}),
        ({"ordinal": "four", "policy": 3}, {"ordinal": "four", "policy": 3}),
        ({"policy": {"events": {"scan_after_update": "yes"}}}, {"policy": {"events": {"scan_after_update": "yes"}}}),
        ({"nonsense": {"a": None}}, {"nonsense": {}}),
    ],
)
def test_what_is_null_is_dropped_and_what_old_templates_did_to_numbers_is_undone(given: Any, plain: Any) -> None:
    assert documents.plain(specs.endpoint(), given) == plain


@pytest.mark.parametrize(
    ("options", "root", "absent"),
    [
        ({"state": "absent"}, "", True),
        ({"state": "absent", "installroot": "/tmp/x/", "policy": {"bad": 1}}, "/tmp/x", True),
        ({"endpoint": "n1", "product": "clamav", "installroot": "/"}, "", False),
    ],
)
def test_what_is_wanted(options: dict[str, Any], root: str, absent: bool) -> None:
    wanted = documents.Wanted.from_options(options)
    assert (wanted.root, wanted.document is None) == (root, absent)


def test_errors_of_the_task_and_of_the_document_are_told_together() -> None:
    with pytest.raises(InvalidDocument) as refused:
        documents.Wanted.from_options({"state": "here", "installroot": "x", "endpoint": "n1", "ordinal": -1})
    assert {"state", "installroot", "ordinal"} <= {error.path for error in refused.value.errors}


SERVER = {"url": "http://updates.example", "signers": ["ssh-ed25519 " + 68 * "A"]}


def test_beside_a_server_there_is_no_policy_domain_or_ordinal() -> None:
    """They would be without effect: the server's tree has them."""
    own = {"policy": {"events": {"scan_after_update": True}}, "domain": "emea", "ordinal": 0}
    with pytest.raises(InvalidDocument) as refused:
        documents.Wanted.from_options({"endpoint": "n1", "server": SERVER, **own})
    assert {error.path for error in refused.value.errors} == {"policy", "domain", "ordinal"}
    assert "policy: a mapping beside server is not allowed" in str(refused.value)


@pytest.mark.parametrize("nothing", [{}, {"policy": {}, "domain": ""}])
def test_what_says_nothing_may_stand_beside_a_server(nothing: dict[str, Any]) -> None:
    document = documents.Wanted.from_options({"endpoint": "n1", "server": SERVER, **nothing}).document
    assert document is not None
    assert document.server is not None


def test_an_empty_server_is_none() -> None:
    given = {"endpoint": "n1", "product": "clamav", "server": {}, "ordinal": 3}
    document = documents.Wanted.from_options(given).document
    assert document is not None
    assert (document.server, document.ordinal) == (None, 3)


def test_the_options_are_the_keys_of_the_document() -> None:
    assert set(specs.document()) == set(_KEYS) - {"format", "channel"}  # the signed configuration says the channel
    policy = specs.policy()
    assert policy.pop("products") == {"type": "dict"}  # by name, any of the sections
    assert {name: set(section["options"]) for name, section in policy.items()} == {
        name: set(section) for name, section in KEYS.items()
    }


def test_the_options_of_the_module_server_are_the_keys_of_the_settings() -> None:
    def shape(options: dict[str, Any]) -> dict[str, Any]:
        return {name: shape(option.get("options", {})) for name, option in options.items()}

    def keys(settings: dict[str, Any]) -> dict[str, Any]:
        return {name: keys(part) if isinstance(part, dict) else {} for name, part in settings.items()}

    files = dict.fromkeys(("ca", "certificate", "key", "password_file"), "/etc/broker")
    broker = {"user": "somebody", **files}
    given = {
        "web": {
            "url": "https://server.example.com",
            "listen": ["8443"],
            "tls_certificate": "/etc/server.crt",
            "tls_key": "/etc/server.key",
            "max_connections": 10,
        },
        "components": {
            "clamav": {"nameserver": "192.0.2.1"},
            "files": {"git": "/srv/rules.git", "branch": "main"},
            "command": {"fetch": ["/bin/true"], "version": ["/bin/true"]},
        },
        "notify": {"key": "/etc/key", "mqtt": {"hosts": ["broker"], **broker, "endpoints": broker}},
        "probe_samples": "/srv/samples",
        "rollout": {name: {"rings": [{"name": "all"}]} for name in ("clamav", "command", "files")},
    }
    settings = keys(ServerSettings.from_dict({"format": 1, **given}).to_dict())
    del settings["format"]
    settings["components"]["files"].update(directory={}, url={})  # one of three places
    settings["alarms"]["component_age"] = {}  # its keys are the names of products, of one's own too
    options = shape(server_specs.server_settings())
    for product in options["rollout"].values():
        product["rings"] = {}  # a list, whose rings hold what they set themselves
    assert options == settings


@functools.cache
def imported(path: Path) -> set[Path]:
    """The files of the library that one of them names in an import, at any depth of its code."""
    found: set[Path] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
        for place in (base, *(base / alias.name for alias in node.names)):
            found.update(file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file())
    return found


@pytest.mark.parametrize(("module", "program"), [("endpoint", agent), ("server", server)])
def test_the_module_imports_every_file_of_its_program(module: str, program: ModuleType) -> None:
    """Ansible brings what is imported; an agent that lacked a file would never be the one that is expected."""
    known = {LIBRARY / f"_module/{module}.py"}
    while more := {file for path in known for file in imported(path)} - known:
        known |= more
    packages = {parent / "__init__.py" for path in known for parent in path.parents if LIBRARY in parent.parents}
    brought = {str(path.relative_to(LIBRARY)) for path in known | packages}
    parts = {"endpoint": "agent_manifest", "server": "server_manifest"}[module]
    assert set(program.sources()) - brought == set(), f"name the missing files in _module/{parts}.py"
