# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text of metrics, read back by the official parser, whatever the labels say (R5)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.exposition import PREFIX, Metric, exposition, single
from ansible_collections.epp.autoupdate.plugins.module_utils._core.untrusted_text import LONGEST_WORD, shown
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families as families

LABELS = st.fixed_dictionaries({"component": st.text(), "version": st.text()})
VALUES = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))
Read = dict[tuple[str, ...], float]


def read(text: str) -> Read:
    """The samples of one metric: the values of its labels in the order of their names -> value."""
    (family,) = families(text)
    told = {tuple(one.labels[name] for name in sorted(one.labels)): one.value for one in family.samples}
    assert len(told) == len(family.samples)
    return told


@given(st.lists(st.tuples(LABELS, VALUES), min_size=1, max_size=5))
def test_labels_and_values_come_back_as_they_are_shown(samples: list[tuple[Mapping[str, str], float]]) -> None:
    text = exposition([Metric("things", "Things", tuple(samples))])
    assert read(text) == {
        tuple(shown(one[name], LONGEST_WORD) for name in sorted(one)): value for one, value in samples
    }


def test_labels_in_another_order_are_the_same_labels() -> None:
    samples = (({"component": "", "version": ""}, 1), ({"version": "", "component": ""}, 2))
    assert list(read(exposition([Metric("things", "Things", samples)])).values()) == [2]


@pytest.mark.parametrize(("kind", "name"), [("gauge", "things"), ("counter", "things_total")])
def test_kind_and_sentence_come_back(kind: str, name: str) -> None:
    (family,) = families(exposition([Metric(name, "All things", (({}, 3),), kind), single("nothing", "None", None)]))
    assert (family.type, family.documentation) == (kind, "All things.")
    assert [(one.name, one.labels, one.value) for one in family.samples] == [(f"{PREFIX}{name}", {}, 3)]
