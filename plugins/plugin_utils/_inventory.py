# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory's variables, and what is wrong with those of one host. Nothing is contacted here."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible.errors import AnsibleError
from ansible_collections.epp.autoupdate.plugins.module_utils._core.masking import without_secrets
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy import of_products
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.inheritance import (
    resolve,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.managed import OF_THE_TREE, with_tree
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import (
    InvalidDocument,
    ValidationError,
    show,
    suggestion,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._module import server_specs, specs
from ansible_collections.epp.autoupdate.plugins.module_utils._module.documents import Wanted, plain
from ansible_collections.epp.autoupdate.plugins.plugin_utils._definitions import with_definition
from ansible_collections.epp.autoupdate.plugins.plugin_utils._groups import SERVER_HOST, server_of
from ansible_collections.epp.autoupdate.plugins.plugin_utils._names import NAME, name_of
from ansible_collections.epp.autoupdate.plugins.plugin_utils._policy_layers import (
    DOMAIN_POLICIES,
    ENDPOINT_POLICY,
    PREFIX,
    ROOT_POLICY,
    ancestry,
    errors_of_domain,
    layers_of_host,
    resolved,
)

_LAYERS = (ROOT_POLICY, DOMAIN_POLICIES, ENDPOINT_POLICY)
_OPTIONS = tuple(name for name in specs.endpoint() if name not in ("use_variables", "endpoint", "policy"))
REGISTERED = "__autoupdate_registered"
"""Where playbooks keep what ``client_tree`` returned; as an option of a task, each host would compile its template."""
STRICT = "strict"
"""Whether preflight refuses what looks like a typo."""
READ = (*_LAYERS, *_OPTIONS, SERVER_HOST, NAME)
"""The variables that decide about an endpoint, without their prefix."""

_OF_TREE = ("address", "host_key")
OF_CONVERGE = ("become", "install", "packages")
"""The variables that decide how an endpoint is converged, without their prefix."""
_OF_PLAYBOOKS = (
    "component_size",
    "link",
    "run_time",
    "lint_strict",
    "domains",
    "outdated",
    "timeout",
    "report_directory",
    *("rollout_state", "rollout_version", "rollout_product", "rollout_reason"),
)
_OF_WEB = (
    *("url", "web", "listen", "tls_certificate", "tls_key"),
    *("max_connections", "retry_after", "verify_url", "reports"),
)
_OF_SERVER = tuple(
    f"server_{name}"
    for name in (
        *("state", "installroot", "install", "packages", "cvdupdate_pip_arguments", "cvdupdate_pip_config"),
        *(name for name in server_specs.server_settings() if name != "web"),
        *_OF_WEB,
    )
)
KNOWN = tuple(PREFIX + name for name in (*READ, *_OF_TREE, *OF_CONVERGE, STRICT, *_OF_PLAYBOOKS, *_OF_SERVER))
"""Every variable that there is; the tests hold it against the roles' specifications and the README."""
_SOME_SERVER = {"url": "http://updates.invalid", "signers": [f"ssh-ed25519 {'A' * 68}"]}
"""Stands for the server of hosts that are to have one: what it is, is known when it is up."""


def is_literal(raw: Any) -> bool:
    """Whether a value can't hold a template: most don't, and to template one costs a hundred times this look."""
    if isinstance(raw, str):
        return "{{" not in raw and "{%" not in raw and "{#" not in raw
    if isinstance(raw, Mapping):
        return all(is_literal(key) and is_literal(one) for key, one in raw.items())
    if isinstance(raw, (list, tuple)):
        return all(map(is_literal, raw))
    return raw is None or isinstance(raw, (bool, int, float))


class Literals:
    """Tells which values hold no template, and remembers it of those that many hosts share."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[bool, Any]] = {}

    def has(self, raw: Any) -> bool:
        if not isinstance(raw, Mapping):
            return is_literal(raw)
        known = self._known.get(id(raw))
        if known is None:
            known = self._known[id(raw)] = (is_literal(raw), raw)  # kept, so that no other gets its id
        return known[0]


def read_variables(
    variables: Mapping[str, Any],
    template: Callable[[Any], Any],
    *,
    names: Iterable[str] = READ,
    is_literal: Callable[[Any], bool] = is_literal,
) -> dict[str, Any]:
    """The values that decide about an endpoint, without their prefix; ``template`` is the host's templating.

    Raises FailedTemplate.
    """
    raw = {name: variables[PREFIX + name] for name in names if PREFIX + name in variables}
    return {name: one if is_literal(one) else templated(PREFIX + name, one, template) for name, one in raw.items()}


class FailedTemplate(AnsibleError):  # type: ignore[misc]  # ansible-core has no types that hold
    """A variable's template fails; ``error`` has its name."""

    def __init__(self, name: str, error: AnsibleError) -> None:
        why = without_secrets(str(error))
        super().__init__(f"{name}: {why}")
        self.error = ValidationError(name, "a template that fails", f"usable: {why}")


def templated(name: str, raw: Any, template: Callable[[Any], Any]) -> Any:
    """A variable's value, templated; raises FailedTemplate with its name."""
    try:
        return template(raw)
    except AnsibleError as error:
        raise FailedTemplate(name, error) from error


@dataclass(frozen=True)
class HostCheck:
    """What came out for one host: its errors, and its document where it has none of its own and is to have one."""

    errors: tuple[ValidationError, ...]
    document: EndpointDocument | None = None


@dataclass
class InventoryCheck:
    """Finds what is wrong with hosts, one after the other; what many of them share is looked at once."""

    _trees: dict[str, tuple[ValidationError, ...]] = field(default_factory=dict)
    _seen: dict[tuple[int, int], tuple[str, Any, Any]] = field(default_factory=dict)
    _literals: Literals = field(default_factory=Literals)

    def read(self, variables: Mapping[str, Any], template: Callable[[Any], Any]) -> dict[str, Any]:
        """The values that decide about an endpoint, as ``read_variables`` gives them."""
        return read_variables(variables, template, is_literal=self._literals.has)

    def with_server(
        self, values: Mapping[str, Any], servers: Sequence[str]
    ) -> tuple[dict[str, Any], tuple[ValidationError, ...]]:
        """The values with the endpoint's server, and what is wrong with that: where several could be meant, the rest is
        checked with any of them."""
        try:
            return {**values, SERVER_HOST: server_of(values, servers)}, ()
        except InvalidDocument as ambiguous:
            return {**values, SERVER_HOST: servers[0]}, ambiguous.errors

    def host(self, name: str, values: Mapping[str, Any]) -> HostCheck:
        """Check one host's variables (names without the prefix), and the policy of root and domains."""
        document: EndpointDocument | None = None
        found: tuple[ValidationError, ...] = ()
        if values.get(SERVER_HOST) and not values.get("server"):
            values = {**values, "server": _SOME_SERVER}
        try:
            document = _with_tree_keys(Wanted.from_options(endpoint_options(name, values)).document, values)
        except InvalidDocument as invalid:
            found = tuple(_named(error) for error in invalid.errors)
        return HostCheck(tuple(dict.fromkeys((*self._tree(values), *found))), document)

    def _tree(self, values: Mapping[str, Any]) -> tuple[ValidationError, ...]:
        """The errors of root and all domains, used or not."""
        root, domains = values.get(ROOT_POLICY) or {}, values.get(DOMAIN_POLICIES) or {}
        if values.get("state") == "absent" or any(_misfits(values)):
            return ()
        key = self._same(root, domains)
        if key not in self._trees:
            found = [error for domain in domains for error in errors_of_domain(domain, root, domains)]
            self._trees[key] = tuple(dict.fromkeys(found))
        return self._trees[key]

    def _same(self, root: Any, domains: Any) -> str:
        """One text for equal policies; hosts that share the very same ones cost a look."""
        seen = self._seen.get((id(root), id(domains)))
        if seen is None:
            text = json.dumps([root, domains], sort_keys=True, default=str)
            seen = self._seen[id(root), id(domains)] = (text, root, domains)  # kept, so that no other gets their ids
        return seen[0]


def endpoint_options(host: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the module ``endpoint`` that the variables of a host make (names without the prefix).

    Where there is a ``server``, policy, domain and ordinal are not among them: those variables go to its tree. They are
    checked all the same. Raises InvalidDocument with the errors of its policy and, where that is refused, those of
    everything else too.
    """
    given = plain(specs.endpoint(), {name: values[name] for name in _OPTIONS if name in values})
    options = with_definition(given)
    options["endpoint"] = name_of(host, values.get(NAME))
    if options.get("state") == "absent":
        return options
    misfits = tuple(_misfits(values))
    if misfits:
        raise InvalidDocument(misfits)
    try:
        policy = resolved(layers_of_host(values), options)
        return _without_tree_keys(options) if options.get("server") else {**options, "policy": policy}
    except InvalidDocument as invalid:
        raise InvalidDocument((*invalid.errors, *_besides_policy(options))) from None


def _without_tree_keys(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in options.items() if name not in OF_THE_TREE}


def _with_tree_keys(document: EndpointDocument | None, values: Mapping[str, Any]) -> EndpointDocument | None:
    """The document with what the inventory gives to the server's tree, for plans; a standalone one has it already."""
    if document is None or document.server is None:
        return document
    given = plain(specs.endpoint(), {name: values[name] for name in ("domain", "ordinal") if name in values})
    layers = layers_of_host(values)
    policy = resolve(of_products.general(layers)).policy.to_dict()
    own = of_products.policies(layers, of_products.named(layers))
    return with_tree(document, given, policy, {name: one.to_dict() for name, one in own.items()})


def unknown_variables(names: Iterator[str]) -> Iterator[ValidationError]:
    """An error for each variable that looks like ours and is not."""
    for name in names:
        if name.startswith(PREFIX) and name not in KNOWN:
            near = suggestion(name, list(KNOWN))
            yield ValidationError(
                name, "it", f"a variable of epp.autoupdate{near}; {PREFIX}{STRICT}: false lets it pass"
            )


def undeclared_domain(values: Mapping[str, Any]) -> ValidationError | None:
    """The error of an endpoint of an update server whose domain nobody has declared, which is mostly a typo.

    The keys of ``autoupdate_domain_policies`` declare domains, and those that they are in.
    """
    domain, policies = values.get("domain"), values.get(DOMAIN_POLICIES)
    if not values.get(SERVER_HOST) or not isinstance(domain, str) or not domain or values.get("state") == "absent":
        return None
    declared = {above for key in policies for above in ancestry(str(key))} if isinstance(policies, Mapping) else set()
    if domain in declared:
        return None
    near = suggestion(domain, sorted(declared))
    return ValidationError(
        f"{PREFIX}domain",
        show(domain),
        f"a declared domain{near}: name it as a key of {PREFIX}{DOMAIN_POLICIES} (a domain that sets nothing has "
        f"{{}}), or set {PREFIX}{STRICT} to false",
    )


def unknown_server(
    server: Any, hosts: Collection[str], known_elsewhere: Callable[[str], bool], *, group: str = ""
) -> ValidationError | None:
    """The error of a server that is no host of the inventory or of its ``group``, which is mostly a typo.

    A slice of an inventory may lack it, so a name passes that the network knows, unless it is nearly that of a host.
    """
    if not isinstance(server, str) or not server or server in hosts:
        return None
    near = suggestion(server, list(hosts))
    if not near and known_elsewhere(server):
        return None
    of = f"the group {group}" if group else "the inventory"
    allowed = f"a host of {of}{near}, nor a name that can be looked up"
    return ValidationError(f"{PREFIX}{SERVER_HOST}", show(server), f"{allowed}; {PREFIX}{STRICT}: false lets it pass")


def idle_domains(values: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A sentence for each domain that has a policy and no endpoint, in it or below; of all hosts of an inventory."""
    used: set[str] = set()
    policies: dict[str, None] = {}
    for one in values:
        if isinstance(one.get("domain"), str):
            used.update(ancestry(one["domain"]))
        if isinstance(one.get(DOMAIN_POLICIES), Mapping):
            policies.update(dict.fromkeys(str(path) for path, policy in one[DOMAIN_POLICIES].items() if policy))
    for path in policies:
        if path not in used:
            yield f"{PREFIX}{DOMAIN_POLICIES}[{path}]: no endpoint of the inventory is in this domain or below it"


def _besides_policy(options: Mapping[str, Any]) -> Iterator[ValidationError]:
    try:
        Wanted.from_options(_without_tree_keys(options) if options.get("server") else options)
    except InvalidDocument as invalid:
        yield from (error for error in invalid.errors if not error.path.startswith("policy"))


def _named(error: ValidationError) -> ValidationError:
    """The error with the name of its variable."""
    if error.path.startswith(PREFIX):
        return error
    return ValidationError(PREFIX + (NAME if error.path == "endpoint" else error.path), error.found, error.allowed)


def _misfits(values: Mapping[str, Any]) -> Iterator[ValidationError]:
    """What is so wrong that the layers can't even be told apart."""
    for name in _LAYERS:
        value = values.get(name)
        if value is not None and not isinstance(value, Mapping):
            yield ValidationError(PREFIX + name, show(value), "a mapping")
    if not isinstance(values.get("domain") or "", str):
        yield ValidationError(f"{PREFIX}domain", show(values["domain"]), "a domain such as emea/finance")
