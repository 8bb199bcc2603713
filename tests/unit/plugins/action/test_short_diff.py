# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first look at a host fits on a screen; what changes on one that is known is shown whole."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.plugin_utils._short_diff import shortened

from .conftest import POLICY, Control

CHANGED = {"before_header": "/b (mode 0644)", "after_header": "/b (mode 0644)", "before": "1\n", "after": "2\n"}


def new(name: str) -> dict[str, Any]:
    return {
        "before_header": f"/{name} (absent)",
        "after_header": f"/{name} (mode 0644)",
        "before": "",
        "after": "x\ny\n",
    }


def test_a_few_new_files_are_shown_whole() -> None:
    diff = [new("a"), CHANGED, {"prepared": "a correction\n"}]
    assert shortened(diff) == diff


def test_many_are_listed_and_the_rest_stays() -> None:
    gone = {"before_header": "/c (mode 0644)", "after_header": "/c (absent)", "before": "1\n", "after": ""}
    short = shortened([*map(new, "defg"), CHANGED, gone])
    assert short[0]["prepared"].splitlines() == [
        *(f"+ /{name} (mode 0644): 2 lines" for name in "defg"),
        "(-v shows what is in them)",
    ]
    assert short[1:] == [CHANGED, gone]


def test_what_is_no_text_is_told_in_its_own_words() -> None:
    texts = ("directory\n", "link to /a\n", "(hidden: 3 bytes, sha256 0)\n", "one\n")
    (listed,) = shortened([{**new(f"d{number}"), "after": text} for number, text in enumerate(texts)])
    told = [line.partition(": ")[2] for line in listed["prepared"].splitlines()[:-1]]
    assert told == ["directory", "link to /a", "(hidden: 3 bytes, sha256 0)", "1 line"]


@pytest.mark.heavy
def test_the_first_check_of_a_host_is_short_and_verbose_it_is_whole(control: Control) -> None:
    options = {"installroot": str(control.root("n1")), "endpoint": "n1", "product": "files", "policy": POLICY}
    short = control.task({**options, "scheduler": "systemd"}, "--check", "--diff")
    assert short.code == 0, short.output
    assert "+ /etc/systemd/system/epp-update.timer (mode 0644)" in short.output
    assert len(short.output.splitlines()) < 60
    whole = control.task({**options, "scheduler": "systemd"}, "--check", "--diff", "-v")
    assert "OnCalendar=" in whole.output
