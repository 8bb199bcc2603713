# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of the roles and playbooks: the roles' specifications are the source.

Held against them are the defaults of the roles, the tables of the README files, the list by which preflight knows a
typo, the modules' options that the variables become, and what the library fills in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import Policy
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.server import ServerSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._module import server_specs, specs
from ansible_collections.epp.autoupdate.plugins.plugin_utils import _inventory, _members, _server_inventory
from ansible_collections.epp.autoupdate.plugins.plugin_utils._policy_layers import PREFIX

from . import repository

PLAYBOOKS_ONLY = "playbooks only"
"""The README's table of the variables that no role has."""
LITERALS = re.compile(r"`[^`]*`(, `[^`]*`)*")
READMES = ("README.md", "roles/server/README.md")
PREFIXES = {"endpoint": PREFIX, "server": f"{PREFIX}server_"}
"""What the variables begin with that become options of these modules."""
DEFAULT = re.compile(r"(?:[Tt]he default is|set nowhere,) V\(([^)]*)\)(?:\.| applies\.)")
"""A default in a text; ``set nowhere`` says it of keys that are inherited."""
OWN_WORDS = {PREFIX + name for name in ("policy", "domain", "server", "installroot", "server_installroot")}
"""Variables that say something else than their options: an inventory has a whole tree, and the empty path for none."""
WEB = "web"
"""The option of the server's that becomes a variable for each option below it."""


def options(role: str) -> dict[str, Any]:
    return repository.load("roles", role, "meta", "argument_specs.yml")["argument_specs"]["main"]["options"]


def specified() -> dict[str, Any]:
    """The variables of all roles."""
    return {name: option for role in repository.roles() for name, option in options(role).items()}


def tables(readme: str) -> Iterator[tuple[str, list[str], str]]:
    """Each row of variables in a README: the table's title, the variables, the cell of the default."""
    title = ""
    for line in repository.text(readme).splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        names = re.findall(r"`(autoupdate_\w+)`", cells[1]) if len(cells) > 2 else []
        if names:
            yield title, names, cells[2]
        elif len(cells) > 2 and not cells[1].startswith("---"):
            title = cells[1]


@pytest.mark.parametrize("role", repository.roles())
def test_the_defaults_of_a_role_are_those_of_its_specification(role):
    defaults = repository.load("roles", role, "defaults", "main.yml")
    assert set(defaults) <= set(options(role))
    given = {name: option["default"] for name, option in options(role).items() if "default" in option}
    assert given == {name: value for name, value in defaults.items() if value is not None}


def test_preflight_knows_every_variable_that_there_is_and_no_other():
    playbooks = {name for title, names, _default in tables("README.md") if title == PLAYBOOKS_ONLY for name in names}
    assert playbooks.isdisjoint(specified())
    assert set(_inventory.KNOWN) == {*specified(), *playbooks}
    assert len(_inventory.KNOWN) == len(set(_inventory.KNOWN))


def test_the_readme_names_every_variable_that_there_is_once():
    named = [name for _title, names, _default in tables("README.md") for name in names]
    assert sorted(named) == sorted(_inventory.KNOWN)


@pytest.mark.parametrize("readme", READMES)
def test_a_readme_has_the_defaults_of_the_specification(readme):
    """Words stand for what the specification leaves open."""
    for title, names, cell in tables(readme):
        if title == PLAYBOOKS_ONLY:
            continue
        for name in names:
            default = specified()[name].get("default")
            if not LITERALS.fullmatch(cell):
                assert not default, f"{name} has a default, and {readme} says: {cell}"
                continue
            found = [yaml.safe_load(literal) for literal in re.findall(r"`([^`]*)`", cell)]
            assert default == (found if isinstance(default, list) else found[0]), name


def test_every_variable_is_read_by_something():
    """In playbooks and roles by its name, on the control node by the lists of what is read there."""
    places = [*(repository.ROOT / "playbooks").glob("*.yml")]
    for part in ("tasks", "vars", "handlers", "templates"):
        places += (repository.ROOT / "roles").glob(f"*/{part}/*")
    read = {name for path in places for name in re.findall(r"(?<!_)autoupdate_\w+", path.read_text(encoding="utf-8"))}
    names = (*_inventory.READ, *_inventory.OF_CONVERGE, *_members._READ, *_server_inventory.READ, _inventory.STRICT)
    read |= {PREFIX + name for name in names}
    assert set(_inventory.KNOWN) - read == set()


def module_options() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each variable that becomes an option of a module, with that option."""
    endpoint = {**specs.endpoint(), "endpoint_policy": {"type": "dict", "options": specs.policy()}}
    yield from ((PREFIX + name, option) for name, option in endpoint.items() if PREFIX + name in specified())
    server = {name: option for name, option in server_specs.server().items() if name != "web"}
    web = {"web" if name == "server" else name: option for name, option in server_specs.server_web().items()}
    for name, option in {**server, **web}.items():
        if f"{PREFIX}server_{name}" in specified():
            yield f"{PREFIX}server_{name}", option


BECOMING = dict(module_options())


def test_the_variables_that_become_options_are_these():
    """So that no rename makes the next test pass over one."""
    of_endpoint = {"use_variables", "endpoint"}
    of_server = {"use_variables", "require", "web"}
    wanted = {PREFIX + name for name in (*specs.endpoint(), "endpoint_policy") if name not in of_endpoint}
    wanted |= {f"{PREFIX}server_{name}" for name in server_specs.server() if name not in of_server}
    wanted |= {f"{PREFIX}server_{'web' if name == 'server' else name}" for name in server_specs.server_web()}
    assert set(BECOMING) == wanted


@pytest.mark.parametrize("variable", BECOMING)
def test_a_variable_has_the_form_of_the_option_that_it_becomes(variable):
    given, option = specified()[variable], BECOMING[variable]
    assert form(given, outermost=True) == form(option, outermost=True)


def form(option: Mapping[str, Any], *, outermost: bool = False) -> dict[str, Any]:
    """Types, choices and keys at all levels. A role's path is a text: it has the empty one for none."""
    kind = option.get("type")
    own = {
        "type": "str" if outermost and kind == "path" else kind,
        "elements": option.get("elements"),
        "choices": option.get("choices"),
    }
    return {**own, "options": {name: form(one) for name, one in (option.get("options") or {}).items()}}


SETTINGS: dict[str, Any] = {
    "format": 1,
    "web": {"url": "http://updates.example.com"},
    "components": {"clamav": {}, "files": {"directory": "/srv"}, "command": {"fetch": ["/bin/true"]}},
}
PRODUCTS = {"clamav": {}, "files": {}, "command": {"update": ["/bin/true"], "version": ["/bin/true"]}}


def document(product: str, own: dict[str, Any]) -> dict[str, Any]:
    """What an endpoint of this product is to be, with all defaults."""
    policy = {"sources": {"urls": ["http://updates.example.com"]}}
    given = {"format": 1, "endpoint": "n1", "policy": policy, "product": product, product: own}
    return EndpointDocument.from_dict(given).to_dict()


def defaults() -> dict[str, Any]:
    """What the library fills in where nothing is given, by the variable's path."""
    known: dict[str, Any] = {}
    for product, own in PRODUCTS.items():
        found = document(product, own).items()
        known |= {PREFIX + name: one for name, one in found if name not in ("policy", "product")}
    known |= {PREFIX + name: Policy().to_dict() for name in ("policy", "endpoint_policy")}
    settings = ServerSettings.from_dict(SETTINGS).to_dict()
    of_server = {**settings, **settings[WEB], WEB: settings[WEB]["server"]}
    return known | {f"{PREFIX}server_{name}": one for name, one in of_server.items()}


def described() -> Iterator[tuple[str, dict[str, Any]]]:
    """Variables and options, with all that is below them, by the variable's path."""
    yield from repository.leaves(specified())
    for module in PREFIXES:
        yield from options_by_variable(module)


def options_by_variable(module: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The options of a module by the path of the variable that becomes each of them, if there is one."""
    for path, option in repository.leaves(repository.documentation(module)["options"]):
        if path != WEB:
            yield variable(module, path), option


def variable(module: str, path: str) -> str:
    """The path of the variable that becomes an option of a module."""
    if module == "server":
        path = WEB if path == f"{WEB}.server" else path.removeprefix(f"{WEB}.")
    return PREFIXES[module] + path


def test_the_defaults_that_are_described_are_the_librarys():
    known = dict(_flat(defaults()))
    wrong, held = [], 0
    for path, option in described():
        said = DEFAULT.search(" ".join(map(str, option["description"])))
        if said and path in known:
            held += 1
            if said[1] != _shown(known[path]):
                wrong.append((path, said[1], known[path]))
    assert wrong == []
    assert held > 100


def _flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, one in values.items():
        yield f"{above}{name}", one
        if isinstance(one, Mapping):
            yield from _flat(one, f"{above}{name}.")


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("module", PREFIXES)
def test_a_variable_is_described_in_the_words_of_the_option_that_it_becomes(module):
    """Specifications of roles know no fragments, so their texts are written again, and held equal here."""
    variables = dict(repository.leaves(specified()))
    held = 0
    for name, option in options_by_variable(module):
        if name in variables and name not in OWN_WORDS:
            held += 1
            assert variables[name]["description"] == [_of_variables(module, one) for one in option["description"]], name
    assert held > 40


def test_all_policies_have_the_same_keys_in_the_same_words():
    wanted = specified()["autoupdate_policy"]["options"]
    assert specified()["autoupdate_endpoint_policy"]["options"] == wanted
    for module in ("endpoint", "client_tree"):
        policies = [
            _as_in_roles(option["suboptions"])
            for path, option in repository.leaves(repository.documentation(module)["options"])
            if path.split(".")[-1] == "policy"
        ]
        assert policies == [wanted] * len(policies)
        assert policies
    for section in ("events", "schedule", "privileges"):
        keys = _as_in_roles(repository.documentation(f"update_{section}")["options"])
        assert {name: keys[name] for name in wanted[section]["options"]} == wanted[section]["options"]


def _as_in_roles(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as a role has them, where ``suboptions`` are ``options``."""
    return {
        name: {
            "options" if key == "suboptions" else key: _as_in_roles(value) if key == "suboptions" else value
            for key, value in option.items()
        }
        for name, option in options.items()
    }


def _of_variables(module: str, text: str) -> str:
    """The text of an option as a variable has it: it names variables, and return values with their module."""
    text = re.sub(r"\bO\(([a-z_.]+)(?=[=)])", lambda found: f"O({variable(module, found[1])}", text)
    return re.sub(r"RV\(([a-z_.]+)\)", rf"RV(epp.autoupdate.{module}#module:\1)", text)
