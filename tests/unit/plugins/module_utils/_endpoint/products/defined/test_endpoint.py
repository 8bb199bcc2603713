# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole endpoint whose product is data: converged, updated, reported and removed."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result, Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.remove import remove
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.conftest import Sandbox

UNIT = "/etc/systemd/system/epp-autoupdate-update@.service"
CRON = "/etc/cron.d/vendor"


def definition(sandbox: Sandbox, **changes: Any) -> dict[str, Any]:
    script = sandbox.directory / "update"
    script.write_text(f"#!/bin/sh\ncat {sandbox.upstream} >{sandbox.root}/opt/v\n")
    script.chmod(0o755)
    return {
        "format": 1,
        "components": {"rules": {"file": "/opt/v", "pattern": "(?P<version>.+)"}},
        "update": [{"command": [str(script)], "user": "nobody"}],
        "writes": ["/opt/vendor"],
        "vendor_updaters": [{"name": "vendor-update", "only": ["--update"]}],
        **changes,
    }


def converged(sandbox: Sandbox, **changes: Any) -> Any:
    defined = {"product": "mine", "product_definitions": {"mine": definition(sandbox, **changes)}}
    document = {**sandbox.document(**defined)}
    del document["command"]
    from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
    from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.converge import converge

    return converge(EndpointDocument.from_dict(document), sandbox.host, agent=b"the agent", check=False)


def test_its_whole_life(sandbox: Sandbox) -> None:
    sandbox.host.write("/opt/v", b"0\n")
    sandbox.host.write(CRON, b"0 0 * * * root vendor-update --update\n5 0 * * * root vendor-update --version\n")
    sandbox.host.write("/var/lib/dpkg/status", b"Package: vendor\n")
    sandbox.host.write("/var/lib/dpkg/info/vendor.list", f"/.\n{CRON}\n".encode())
    cron = sandbox.host.read(CRON)
    assert converged(sandbox).changed
    assert not converged(sandbox).changed
    switched_off = (sandbox.host.read(CRON) or b"").decode().splitlines()
    assert [line.startswith("#epp-autoupdate: off#") for line in switched_off] == [True, False]
    report = sandbox.runner().run(Trigger.MANUAL)
    assert (report.result, report.changed) == (Result.UPDATED, ("rules",))
    assert sandbox.runner().run(Trigger.MANUAL).result is Result.CURRENT
    status = json.loads(sandbox.host.read(paths.STATUS) or b"")
    assert status["product"] == "mine"
    assert status["components"] == [{"name": "rules", "version": "1", "built": None}]
    assert not remove(sandbox.host, check=False).to_result().get("failed")
    assert sandbox.host.read(CRON) == cron
    assert not sandbox.host.exists(paths.STATE_DIRECTORY)


def test_its_unit_may_write_what_the_definition_says_and_no_more(sandbox: Sandbox) -> None:
    converged(sandbox)
    units = {name: text.decode() for name, (_mode, text) in sandbox.tree().items() if name.endswith(".service")}
    (update,) = (text for name, text in units.items() if "-update" in name and "ReadWritePaths=" in text)
    lines = update.splitlines()
    writable = [path for line in lines if line.startswith("ReadWritePaths=") for path in line.split("=")[1].split()]
    assert "-/opt/vendor" in writable
    assert not {"-/opt", "-/etc", "-/usr", "-/var"} & set(writable)
    (capabilities,) = (line.split("=")[1].split() for line in lines if line.startswith("CapabilityBoundingSet="))
    assert {"CAP_SETUID", "CAP_SETGID"} <= set(capabilities)
    assert "CAP_CHOWN" not in capabilities


def test_a_version_that_is_not_readable_is_no_change_to_a_run(sandbox: Sandbox) -> None:
    sandbox.host.write("/opt/v", b"0\n")
    converged(sandbox)
    sandbox.upstream.write_text("<html>9")
    assert sandbox.runner().run(Trigger.MANUAL).result is Result.FAILED
    sandbox.upstream.write_text("9")
    assert sandbox.runner().run(Trigger.MANUAL).result is Result.FAILED
    assert sandbox.runner().run(Trigger.MANUAL).result is Result.CURRENT
