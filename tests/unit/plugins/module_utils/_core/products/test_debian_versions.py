# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of versions of Debian packages, held against dpkg's own."""

from __future__ import annotations

import itertools
import shutil
import subprocess

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.products.debian_versions import ordering

ASCENDING = [
    "0.103.8+dfsg-0+deb11u1",
    "1.0~~a-1",
    "1.0~rc1-1",
    "1.0~rc1-1+b1",
    "1.0-1~",
    "1.0-1",
    "1.0.7+dfsg-1~deb12u1",
    "1.4.3~beta+dfsg-1",
    "1.4.3+dfsg-1~deb12u1",
    "1.4.3+dfsg-1~deb13u1",
    "1.4.3+dfsg-1",
    "1.4.3+dfsg-1+b1",
    "1.4.3+dfsg-1+deb13u1",
    "1.4.10a+dfsg-1",
    "1.4.10+dfsg-1",
    "1.4.10+dfsg-2",
    "1:0.9-1",
    "2:0.1",
]


def test_they_are_sorted_as_they_should_be() -> None:
    assert sorted([*ASCENDING[1:], ASCENDING[0]], key=ordering) == ASCENDING


@pytest.mark.parametrize(("one", "other"), [("1.0", "1.0-0"), ("0:1.0", "1.0"), ("1.0a", "1.0a0"), ("1.00", "1.0")])
def test_some_are_equal(one: str, other: str) -> None:
    assert ordering(one) == ordering(other)


@pytest.mark.parametrize("text", ["", "installed", ":", "-", "a:b-c", "1.0-", "\u00e9"])
def test_any_text_has_a_place(text: str) -> None:
    assert sorted([text, "1.0"], key=ordering)


@pytest.mark.heavy
@pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is not installed")
def test_dpkg_says_the_same() -> None:
    for one, other in itertools.combinations([*ASCENDING, "1.0", "1.0-0", "1.0a", "1.0+"], 2):
        done = subprocess.run(["dpkg", "--compare-versions", one, "lt", other], check=False)
        assert (done.returncode == 0) == (ordering(one) < ordering(other)), (one, other)
