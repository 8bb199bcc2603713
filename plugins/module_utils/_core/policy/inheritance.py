# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client tree's inheritance: endpoint > nearest domain > ... > root, key by key (SPEC P2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..validation.errors import ValidationErrors
from ..values import field, frozen
from .keys import KEYS, read_values
from .policy import Policy
from .rules import SourcedValue, reconcile

DEFAULT = "default"
ROOT = "root"
ENDPOINT = "endpoint"


@frozen
class Layer:
    """What one node of the tree sets: a part of a policy as documents hold it.

    ``name`` tells people where a value comes from, ``prefix`` is the path of the part in its document.
    """

    name: str
    values: Mapping[str, Any] = field(default_factory=dict)
    prefix: str = ""


@frozen
class Effective:
    """An endpoint's effective policy; ``origins`` has the layer's name for each key (``schedule.window``)."""

    policy: Policy
    origins: Mapping[str, str]


def layers_of(
    domain: str,
    *,
    root: Mapping[str, Any],
    domains: Mapping[str, Mapping[str, Any]],
    endpoint: Mapping[str, Any] | None = None,
) -> tuple[Layer, ...]:
    """The layers of an endpoint in this domain, outermost first; domains that set nothing may be missing.

    Paths in errors are those of the variables: ``schedule``, ``domains[emea].schedule``, ``endpoint_policy.schedule``.
    """
    names = domain.split("/") if domain else []
    nodes = ["/".join(names[: depth + 1]) for depth in range(len(names))]
    inner = [Layer(node, domains[node], f"domains[{node}]") for node in nodes if node in domains]
    own = [Layer(ENDPOINT, endpoint, "endpoint_policy")] if endpoint else []
    return (Layer(ROOT, root), *inner, *own)


def resolve(layers: Sequence[Layer], *, stored: bool = False) -> Effective:
    """The policy that the layers make, outermost first; raises InvalidDocument with the errors of all of them.

    Every key comes from the innermost layer that sets it. A key that the effective frequency makes meaningless falls
    away when a layer outside the frequency's own sets it, and is an error otherwise. ``stored``: see ``read_values``.
    """
    errors = ValidationErrors()
    given: dict[str, SourcedValue] = {}
    for rank, layer in enumerate(layers):
        values = read_values(layer.values, path=layer.prefix, errors=errors, stored=stored)
        given.update({key: SourcedValue(frozen, rank, layer.prefix) for key, frozen in values.items()})
    kept = reconcile(given, errors)
    errors.check()
    policy = Policy.of({key: setting.value for key, setting in kept.items()})
    return Effective(policy, _origins(policy, kept, layers))


def _origins(policy: Policy, kept: Mapping[str, SourcedValue], layers: Sequence[Layer]) -> dict[str, str]:
    shown = policy.to_dict()
    keys = (f"{section}.{key}" for section, names in KEYS.items() for key in names if key in shown[section])
    return {key: layers[kept[key].rank].name if key in kept else DEFAULT for key in keys}
