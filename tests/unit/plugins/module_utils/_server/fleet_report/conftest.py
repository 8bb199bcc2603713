# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A made fleet and the report on it, each once for all tests."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet_report.document import fleet_report
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet_report.page.page import page

from ..rollout.conftest import Server
from .made_fleet import MadeHost, made
from .staged_fleet import staged

COUNT = 400
HOSTILE = "</script><img src=x onerror=alert(1)>\u202e\x1b[31m \"'&<b>"
FORMULA = "=HYPERLINK(1)"
"""Reasons that endpoints report."""


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> MadeHost:
    return made(tmp_path_factory.mktemp("fleet"), COUNT, {20: HOSTILE, 24: FORMULA})


@pytest.fixture(scope="session")
def document(fleet: MadeHost) -> dict[str, Any]:
    with closing(open_database(fleet)) as connection:
        return fleet_report(fleet, connection)


@pytest.fixture(scope="session")
def written(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the report."""
    path = tmp_path_factory.mktemp("report") / "fleet.html"
    path.write_text(page(document), encoding="ascii")
    return path


@pytest.fixture(scope="session")
def halted(tmp_path_factory: pytest.TempPathFactory) -> Server:
    return staged(tmp_path_factory.mktemp("halted"))


@pytest.fixture(scope="session")
def staged_document(halted: Server) -> dict[str, Any]:
    with closing(open_database(halted.host)) as connection:
        return fleet_report(halted.host, connection)


@pytest.fixture(scope="session")
def staged_page(staged_document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the report on a fleet with rings."""
    path = tmp_path_factory.mktemp("report") / "staged.html"
    path.write_text(page(staged_document), encoding="ascii")
    return path
