# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``epp-server`` as one file: the inner rings and its own."""

from __future__ import annotations

from .. import _core, _host, _server
from .._host.program.zipapp import Program, bytecode_tag, digest, identity_of

__all__ = ("SERVER", "build", "bytecode_tag", "digest", "identity_of", "renewed", "sources")

SERVER = Program(
    rings=(("_core", _core), ("_host", _host), ("_server", _server)),
    start="_server.cli.main",
    flags="-I",  # nothing from the environment; site-packages for the SSH library alone
    without=frozenset(
        {
            "_core/products/definitions/__init__.py",
            "_core/schedule/capacity.py",
            "_core/schedule/openings.py",
        }
    ),
)
sources, build, renewed = SERVER.sources, SERVER.build, SERVER.renewed
