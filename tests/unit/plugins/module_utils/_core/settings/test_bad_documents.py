# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every document of the table is refused, for all its errors and nothing else (SPEC 2)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("bad_documents.json").read_text(encoding="utf-8"))


def test_the_table_is_as_long_as_it_should_be() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES) >= 40


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_it_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(InvalidDocument) as refused:
        EndpointDocument.from_dict(case["document"])
    assert sorted(error.path for error in refused.value.errors) == sorted(case["paths"])
    lines = str(refused.value).splitlines()
    assert len(lines) == len(case["paths"])
    assert all(len(line) < 400 and line.isprintable() for line in lines)
    assert "hunter2" not in str(refused.value) + repr(refused.value)
