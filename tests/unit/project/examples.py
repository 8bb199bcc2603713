# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The YAML of the documentation, and what it sets: variables, options of modules, parts of documents."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import Policy
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.registration import Registration
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.server import ServerSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import (
    InvalidDocument,
    ValidationError,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._module import server_specs, spec_parts, specs
from ansible_collections.epp.autoupdate.plugins.module_utils._module.documents import Wanted, plain
from ansible_collections.epp.autoupdate.plugins.module_utils._module.registration import request
from ansible_collections.epp.autoupdate.plugins.module_utils._module.server_documents import WantedServer
from ansible_collections.epp.autoupdate.plugins.plugin_utils._definitions import with_definition
from ansible_collections.epp.autoupdate.plugins.plugin_utils._groups import ENDPOINTS, SERVERS
from ansible_collections.epp.autoupdate.plugins.plugin_utils._inventory import KNOWN, InventoryCheck, read_variables
from ansible_collections.epp.autoupdate.plugins.plugin_utils._policy_layers import PREFIX
from ansible_collections.epp.autoupdate.plugins.plugin_utils._server_inventory import READ as READ_OF_SERVER
from ansible_collections.epp.autoupdate.plugins.plugin_utils._server_inventory import server_options

from . import repository

MODULE = "epp.autoupdate."
_IN_RST = re.compile(r"\.\. code-block:: yaml(?:\+jinja)?\n\n((?:    .*\n|\n)+)")
_IN_MARKDOWN = re.compile(r"^```ya?ml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_IN_SENTENCES = re.compile(r"`{1,2}((?:autoupdate_\w+: |\{)[^`\n]+)`{1,2}")
_KEY = f"ssh-ed25519 {'A' * 68}"
_POLICY = ("events", "schedule", "privileges", "components", "sources")
_DOCUMENT = ("product", "clamav", "files", "command", "policy", "probe")
_SEVERAL = ("products", "product_overrides", "policy", "updates")
_SETTINGS = ("web", "components", "notify", "configuration", "fetch", "alarms", "metrics", "rollout")
_SETTINGS += ("probe_samples", "scheduler")
_NAMES: dict[str, tuple[str, Callable[[], Any]]] = {
    "name": ("role", repository.roles),
    "role": ("role", repository.roles),
    "import_playbook": ("playbook", repository.playbooks),
}
_SECTIONS: dict[str, Callable[[], spec_parts.Spec]] = {
    "update_events": specs.events,
    "update_schedule": specs.schedule,
    "update_privileges": specs.privileges,
}
_SPECS: dict[str, Callable[[], spec_parts.Spec]] = {
    "endpoint": specs.endpoint,
    "server": server_specs.server,
    "client_tree": specs.client_tree,
    "audit_info": specs.audit_info,
    "fleet_info": specs.fleet_info,
    "fleet_report": spec_parts.installroot,
    "rollout": server_specs.rollout,
    "rollout_info": server_specs.rollout_info,
    "rollout_state": server_specs.rollout_state,
    "drift": specs.drift,
    "preflight": specs.preflight,
    "endpoint_info": spec_parts.installroot,
    "update_now": specs.update_now,
    **{
        name: functools.partial(lambda keys: {**specs.scope(keys()), **spec_parts.installroot(), **keys()}, keys)
        for name, keys in _SECTIONS.items()
    },
}

_INVENTORIES = {
    MODULE + name: {
        *yaml.safe_load(repository.assigned(name, "DOCUMENTATION", "inventory"))["options"],
        *("strict", "compose", "groups", "keyed_groups", "cache"),
    }
    for name in repository.inventories()
}
"""The options of inventory plugins, with those of Ansible's own fragments."""


@dataclass(frozen=True)
class Example:
    """A piece of YAML in the documentation."""

    where: str
    text: str = field(repr=False)

    @property
    def content(self) -> Any:
        return yaml.safe_load(self.text.replace("ssh-ed25519 AAAA...", _KEY))


def blocks() -> Iterator[Example]:
    """All YAML blocks: guides, README files, examples of modules and filters."""
    for path in sorted((repository.ROOT / "docs" / "docsite" / "rst").glob("*.rst")):
        yield from _found(_IN_RST, path.name, path.read_text(encoding="utf-8"))
    for path in (repository.ROOT / "README.md", *sorted(repository.ROOT.glob("roles/*/README.md"))):
        yield from _found(_IN_MARKDOWN, str(path.relative_to(repository.ROOT)), path.read_text(encoding="utf-8"))
    for module in repository.modules():
        yield Example(f"module {module}", repository.assigned(module, "EXAMPLES"))
    for name in repository.filters():
        yield Example(f"filter {name}", repository.load("plugins", "filter", f"{name}.yml")["EXAMPLES"])


def sentences() -> Iterator[Example]:
    """What sentences say as YAML: ``autoupdate_become: false``, ``{files: {directory: /srv/rules}}``."""
    paths = [*(repository.ROOT / "docs" / "docsite" / "rst").glob("*.rst")]
    paths += [repository.ROOT / "README.md", *repository.ROOT.glob("roles/*/README.md")]
    for path in sorted(paths):
        yield from _found(_IN_SENTENCES, path.name, path.read_text(encoding="utf-8"))


def _found(pattern: re.Pattern[str], name: str, text: str) -> Iterator[Example]:
    for match in pattern.finditer(text):
        yield Example(f"{name}:{text.count(chr(10), 0, match.start(1)) + 1}", match[1])


def errors(content: Any) -> list[str] | None:
    """What the validators refuse in a piece of YAML; None where nothing of it is for them.

    An example may leave things out and has templates, so neither what is missing nor a template is an error.
    """
    found = list(_looked_at(content))
    return [error for one in found for error in one] if found else None


def _looked_at(node: Any) -> Iterator[list[str]]:
    if isinstance(node, Mapping) and node.get("plugin") in _INVENTORIES:
        known = _INVENTORIES[node["plugin"]]
        yield [f"{name}: no option of {node['plugin']}" for name in node if name not in known]
    elif isinstance(node, list):
        for item in node:
            yield from _looked_at(item)
    elif isinstance(node, Mapping):
        yield from _in_mapping(node)


def _in_mapping(node: Mapping[str, Any]) -> Iterator[list[str]]:
    groups = (SERVERS, ENDPOINTS)
    variables = {name: one for name, one in node.items() if str(name).startswith(PREFIX) and name not in groups}
    if variables:
        yield [*_of_variables(variables), *_of_roles(variables)]
    reader = _reader(node)
    if reader is not None:
        yield _refused(reader, _literal(node))
        return
    for name, one in node.items():
        if str(name).startswith(MODULE):
            yield _of_task(str(name)[len(MODULE) :], one or {})
        elif name in _NAMES and str(one).startswith(MODULE):
            kind, known = _NAMES[name]
            yield [] if str(one)[len(MODULE) :] in known() else [f"{one}: not a {kind}"]
        elif name not in variables:
            yield from _looked_at(one)


def _reader(node: Mapping[str, Any]) -> Callable[[Any], object] | None:
    """What reads a mapping that is a document, or a part of one, by itself."""
    names = set(node)
    if not names or not all(isinstance(one, Mapping) for name, one in node.items() if name in _POLICY):
        return None
    if names <= set(_POLICY) and not set(node.get("components") or {}) - {"scope"}:
        return Policy.from_dict
    if names <= set(_DOCUMENT):
        return lambda raw: EndpointDocument.from_dict(with_definition({"format": 1, "endpoint": "n1", **raw}))
    if "products" in names and names <= set(_SEVERAL):
        return lambda raw: Wanted.from_options(with_definition({"endpoint": "n1", **raw}))
    if names <= set(_SETTINGS):
        return lambda raw: ServerSettings.from_dict({"format": 1, "web": {"url": "http://a.example.com"}, **raw})
    return None


def _of_variables(variables: Mapping[str, Any]) -> list[str]:
    found = [f"{name}: unknown" for name in variables if name not in KNOWN]
    given = {name: one for name, one in ((name, _literal(one)) for name, one in variables.items()) if one is not None}
    values = read_variables(given, lambda raw: raw)
    found += _lines(InventoryCheck().host("n1", values).errors)
    if any(name.removeprefix(PREFIX) in READ_OF_SERVER for name in given):
        found += _refused(WantedServer.from_options, server_options(given, lambda raw: raw))
    return found


def _of_roles(variables: Mapping[str, Any]) -> list[str]:
    """What the specifications of the roles refuse."""
    found = []
    for role in repository.roles():
        options = repository.load("roles", role, "meta", "argument_specs.yml")["argument_specs"]["main"]["options"]
        known = {name: option for name, option in options.items() if name in variables}
        literal = {name: _literal(variables[name]) for name in known}
        spec = {name: {key: one for key, one in option.items() if key != "required"} for name, option in known.items()}
        given = {name: one for name, one in literal.items() if one is not None}
        found += ArgumentSpecValidator(spec).validate(given).error_messages
    return found


def _of_task(module: str, options: Mapping[str, Any]) -> list[str]:
    spec = _SPECS[module]()
    found = [f"{name}: no option of {module}" for name in options if name not in spec]
    literal = _literal(options)
    found += (
        ArgumentSpecValidator({name: {**one, "required": False} for name, one in spec.items()})
        .validate(literal)
        .error_messages
    )
    given = plain(spec, literal)
    given = {name: one for name, one in given.items() if name != "use_variables"}
    if module == "endpoint" and "use_variables" not in options:
        found += _refused(Wanted.from_options, with_definition({"endpoint": "n1", **given}))
    elif module == "server" and "use_variables" not in options:
        found += _refused(WantedServer.from_options, given)
    elif module == "client_tree":
        found += _refused(lambda one: Registration.from_dict(request(one)), given)
    elif module in _SECTIONS:
        keys = {name: one for name, one in given.items() if name in _SECTIONS[module]()}
        found += _refused(Policy.from_dict, {module.removeprefix("update_"): keys})
    return found


def _refused(read: Callable[[Any], object], raw: Any) -> list[str]:
    try:
        read(raw)
    except InvalidDocument as invalid:
        return _lines(invalid.errors)
    return []


def _lines(found: tuple[ValidationError, ...]) -> list[str]:
    return [str(error) for error in found if error.found]


def _literal(node: Any) -> Any:
    """The same without templates, None for one."""
    if isinstance(node, str):
        return None if "{{" in node else node
    if isinstance(node, Mapping):
        kept = ((name, one, _literal(one)) for name, one in node.items())
        return {name: literal for name, one, literal in kept if literal is not None or one is None}
    if isinstance(node, list):
        return [one for one in map(_literal, node) if one is not None]
    return node
