# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The agent as one file: the inner rings and its own, and nothing but the standard library."""

from __future__ import annotations

from .. import _core, _endpoint, _host
from .._host.zipapp import Program, bytecode_tag, digest, identity_of

__all__ = ("AGENT", "build", "bytecode_tag", "digest", "identity_of", "renewed", "sources")

AGENT = Program(
    rings=(("_core", _core), ("_host", _host), ("_endpoint", _endpoint)),
    start="_endpoint.cli.main",
    flags="-IS",  # nothing from the environment, nothing from site-packages
)
sources, build, renewed = AGENT.sources, AGENT.build, AGENT.renewed
