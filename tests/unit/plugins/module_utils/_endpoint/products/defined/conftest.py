# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in on a directory that stands for a host."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.conftest import ShiftedHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.defined.stand_in import (
    StandIn,
)


@pytest.fixture
def stand_in(host: ShiftedHost, tmp_path: Path) -> StandIn:
    return StandIn(host, tmp_path)
