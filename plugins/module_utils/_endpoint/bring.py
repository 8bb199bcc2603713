# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``apply`` on a host that does not have the agent, or another one: the agent is built there and installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._host.program.interpreters import interpreter_of
from . import paths, payload
from .cli import parser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._host.host import Host
    from .._host.program.sources import Sources


def main(argv: Sequence[str], *, given: bytes, sources: Sources) -> int:
    """Run ``apply`` with the document ``given``, from the sources that were brought; returns the exit status."""

    def agent(host: Host) -> bytes:
        python = interpreter_of(host)
        return payload.renewed(
            host.read(paths.AGENT),
            sources.files,
            interpreter=python.path,
            tag=python.tag,
            brought=sources,
        )

    return parser.main(argv, given=given, agent=agent)
