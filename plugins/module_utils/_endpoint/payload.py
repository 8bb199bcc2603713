# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The agent as one file: the inner rings and its own, and nothing but the standard library."""

from __future__ import annotations

from .. import _core, _endpoint, _host
from .._host.program.zipapp import Program, bytecode_tag, digest, identity_of

__all__ = ("AGENT", "build", "bytecode_tag", "digest", "identity_of", "packed", "renewed", "sources")

_OF_OTHERS = frozenset(
    {
        "_core/audit/__init__.py",
        "_core/audit/chain.py",
        "_core/audit/entry.py",
        "_core/metadata/keyring.py",
        "_core/metadata/signed_document.py",
        "_core/policy/change.py",
        "_core/policy/overrides.py",
        "_core/products/debian_versions.py",
        "_core/products/definitions/__init__.py",
        "_core/reports/alarms.py",
        "_core/reports/states.py",
        "_core/rings/__init__.py",
        "_core/rings/by_hand.py",
        "_core/rings/decide.py",
        "_core/rings/engines.py",
        "_core/rings/membership.py",
        "_core/rings/outcome.py",
        "_core/rings/simulate.py",
        "_core/rings/state.py",
        "_core/rollout/delivery.py",
        "_core/rollout/rate_limit.py",
        "_core/rollout/reported.py",
        "_core/rollout/spread.py",
        "_core/schedule/capacity.py",
        "_core/schedule/openings.py",
        "_core/settings/alarms.py",
        "_core/settings/components.py",
        "_core/settings/concurrency.py",
        "_core/settings/metrics.py",
        "_core/settings/notify.py",
        "_core/settings/publication.py",
        "_core/settings/registration.py",
        "_core/settings/retries.py",
        "_core/settings/rollout.py",
        "_core/settings/server.py",
        "_core/settings/web.py",
        "_core/validation/addresses.py",
        "_host/asked_by.py",
        "_host/http/download.py",
    }
)
"""What only the update server and the control node use. A test finds what is missing here, and what is too much."""

AGENT = Program(
    rings=(("_core", _core), ("_host", _host), ("_endpoint", _endpoint)),
    start="_endpoint.cli.main",
    flags="-IS",  # nothing from the environment, nothing from site-packages
    without=_OF_OTHERS,
)
sources, build, renewed, packed = AGENT.sources, AGENT.build, AGENT.renewed, AGENT.packed
