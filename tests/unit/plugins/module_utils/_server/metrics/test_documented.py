# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The metrics that a server writes are those of the guide, with the units and labels that it says."""

from __future__ import annotations

from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._core.documented_metrics import (
    OF_SERVER,
    Written,
    documented,
)

from ..fleet.conftest import Server
from ..fleet.test_states import tell
from .test_compose import hold


def test_the_metrics_are_those_of_the_guide(server: Server) -> None:
    """Of a server that has something to tell of each; rings are not among it, as a dashboard has to have their data."""
    components = {"files": {"directory": "/upstream"}}
    server.settings(components=components, alarms={"component_age": {"files": "1d"}}, metrics={"endpoints": 5})
    server.host.write("/upstream/a.yar", b"1")
    server.register("a", "b", address="192.0.2.1")
    tell(server, "a")
    hold(server, "a", {"a.yar": "0"})
    server.run("publish")
    server.run("fetch")
    written = Written()
    written.take(server.run("metrics")[1])
    written.compare({name: known for name, known in documented().items() if name.startswith(OF_SERVER)})
