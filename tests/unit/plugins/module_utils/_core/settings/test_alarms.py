# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The section ``alarms`` of a server's settings."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.alarms import AlarmSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument

DAY = 86400


def test_defaults_and_what_is_set_come_back_as_they_are() -> None:
    assert AlarmSettings.from_dict({}) == AlarmSettings()
    assert AlarmSettings().component_age == {"clamav": 3 * DAY}
    ages = {"files": "30d", "defender": "2d", "own-product": "7d"}
    given = {"component_age": ages, "silence": "12h", "failing_share": 20, "expiry": "1d"}
    read, days = AlarmSettings.from_dict(given), {"files": 30 * DAY, "defender": 2 * DAY, "own-product": 7 * DAY}
    assert (read.component_age, read.silence, read.failing_share) == (days, DAY // 2, 20)
    assert AlarmSettings.from_dict(read.to_dict()) == read


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"silence": "soon"}, "alarms.silence"),
        ({"failing_share": 101}, "alarms.failing_share"),
        ({"component_age": {"clamaw": "3d"}}, "alarms.component_age.clamaw"),
        ({"component_age": {"defendr": "3d"}}, "alarms.component_age.defendr"),
        ({"component_age": {"Own!": "3d"}}, 'alarms.component_age.["Own!"]'),
        ({"component_age": {"own": "3"}}, "alarms.component_age.own"),
        ({"component_age": {"clamav": "1m"}}, "alarms.component_age.clamav"),
        ({"component_age": "3d"}, "alarms.component_age"),
        ({"volume": 3}, "alarms.volume"),
    ],
)
def test_what_is_wrong_is_told_with_its_path(given: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        AlarmSettings.from_dict(given)
    assert [error.path for error in refused.value.errors] == [path]
