# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A managed endpoint in a sandbox that has an SSH host key, and an update server that takes its reports."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.envelope import unpack
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report import MAX_SIZE, NAMESPACE, Report
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.machine import host_key
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.state.report_record import (
    ReportRecord,
    ReportStore,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._host.ssh_signatures import verify
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.conftest import Sandbox
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.sync.conftest import (
    Managed,
    managed,
    server,
)

__all__ = ("managed", "server")

PLACE = "/reports/n1"


def make_host_key(sandbox: Sandbox, kind: str = "ed25519") -> None:
    """What OpenSSH's server makes when it is installed."""
    path = sandbox.root / f"etc/ssh/ssh_host_{kind}_key"
    path.parent.mkdir(parents=True, exist_ok=True)
    sandbox.host.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", str(path)], timeout=60)


class Reporting:
    """The endpoint, and what its update server was sent."""

    def __init__(self, managed: Managed) -> None:
        self.managed, self.sandbox, self.server = managed, managed.sandbox, managed.server
        self.host = managed.sandbox.host

    @property
    def record(self) -> ReportRecord:
        return ReportStore(self.host).read()

    def sent(self) -> list[Report]:
        """The reports that the server took since the last time, in their order, each with a good signature."""
        found = [self.verified(content) for content in self.server.stored()]
        self.server.forget()
        return found

    def verified(self, content: bytes) -> Report:
        """The report in an envelope that this host's key has signed, as ssh-keygen says."""
        key = host_key(self.host)
        assert key is not None
        assert len(content) <= MAX_SIZE
        envelope = unpack(content, limit=MAX_SIZE)
        assert envelope.namespace == NAMESPACE
        verify(self.host, envelope.document, envelope.signature, [key], NAMESPACE)
        return Report.from_bytes(envelope.document)

    def kept(self) -> Report | None:
        """The report that lies on the endpoint."""
        content = self.host.read(paths.REPORT)
        return None if content is None else self.verified(content)

    def logged(self, word: str) -> int:
        """How many lines of the log have this word."""
        log = self.sandbox.root / "var/log/epp-agent.log"
        return sum(word in line for line in log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture
def reporting(managed: Managed) -> Reporting:
    make_host_key(managed.sandbox)
    managed.server.places.add(PLACE)
    managed.server.forget()
    return Reporting(managed)
