# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An alert for one endpoint starts an Update Now of that endpoint alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from eda_rulebook import Rulebook, eventually, free_port, post

LABELS = {"alertname": "EppAutoupdateEndpointPatternsOld", "service": "epp-autoupdate"}


def alert(endpoint: str, *, status: str = "firing", **labels: str) -> dict[str, Any]:
    return {"status": status, "labels": {**LABELS, "endpoint": endpoint, **labels}, "annotations": {}}


def test_one_endpoint_is_updated_and_nobody_else(rulebook: Rulebook) -> None:
    others = [
        alert("n1", status="resolved"),
        alert("n1", alertname="EppAutoupdateEndpointInfected"),
        alert("n1", service="another"),
        *map(alert, ("all", "n1,n3", "n[13]", "~n.*", "@hosts", "!n2", "{{ 'n1' }}", "n1:n3", "-e", "")),
    ]
    assert rulebook.post(*others, token="guessed") == 401
    assert rulebook.post(*others, alert("n2")) == 200
    eventually(lambda: rulebook.installed("n2") == "2", "n2 is updated")
    eventually(lambda: "PLAY RECAP" in rulebook.said(), "the playbook has ended")
    assert (rulebook.installed("n1"), rulebook.installed("n3")) == ("1", "1")
    recap = rulebook.said().partition("PLAY RECAP")[2]
    assert ("n2" in recap, "n1" in recap, "n3" in recap) == (True, False, False)


def test_the_same_alert_within_the_hour_starts_nothing(rulebook: Rulebook) -> None:
    """Alertmanager repeats what still fires; that of another endpoint comes after it, and through."""
    (rulebook.work / "offered").write_text("3\n")
    assert rulebook.post(alert("n2"), alert("n3", alertname="EppAutoupdateEndpointUpdateFailed")) == 200
    eventually(lambda: rulebook.installed("n3") == "3", "n3 is updated")
    eventually(lambda: rulebook.said().count("PLAY RECAP") >= 2, "the playbook has ended")
    assert rulebook.installed("n2") == "2"


def test_alertmanager_itself_brings_an_alert(rulebook: Rulebook, tmp_path: Path) -> None:
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        pytest.skip("no Alertmanager here")
    port = free_port()
    hook = {"url": rulebook.url, "http_config": {"authorization": {"credentials": rulebook.token}}}
    route = {"receiver": "rulebook", "group_by": ["endpoint"], "group_wait": "0s"}
    configuration = {"route": route, "receivers": [{"name": "rulebook", "webhook_configs": [hook]}]}
    (tmp_path / "alertmanager.yml").write_text(json.dumps(configuration))
    options = [f"--config.file={tmp_path / 'alertmanager.yml'}", f"--storage.path={tmp_path / 'data'}"]
    options += [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
    manager = subprocess.Popen([program, *options], stdin=subprocess.DEVNULL)

    def taken() -> bool:
        """Whether Alertmanager has taken the alert, as it takes it from Prometheus."""
        assert manager.poll() is None, "Alertmanager has ended"
        return post(f"http://127.0.0.1:{port}/api/v2/alerts", [{"labels": alert("n1")["labels"]}]) == 200

    try:
        eventually(taken, "Alertmanager listens")
        eventually(lambda: rulebook.installed("n1") == "3", "n1 is updated")
    finally:
        manager.kill()
        manager.wait()
