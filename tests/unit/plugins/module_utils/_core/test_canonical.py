# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One text for one value."""

from __future__ import annotations

import json

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.canonical import (
    canonical_json,
    digest,
    readable_json,
)
from hypothesis import given
from hypothesis import strategies as st

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("aä\n", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abä", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_it_reads_back_as_the_same_value_with_the_same_text(value: object) -> None:
    text = canonical_json(value)
    assert canonical_json(json.loads(text)) == text
    assert readable_json(json.loads(text)) == readable_json(value)


def test_order_does_not_matter_and_nothing_is_padded() -> None:
    assert canonical_json({"b": 1, "a": [1, "ä"]}) == '{"a":[1,"ä"],"b":1}'.encode()
    assert canonical_json({}, newline=True) == b"{}\n"
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, "\ud800"])
def test_what_has_no_json_is_refused(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        canonical_json(value)
