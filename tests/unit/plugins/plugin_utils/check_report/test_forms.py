# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as JUnit and as Markdown, whatever hosts say, and its files."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from ansible_collections.epp.autoupdate.plugins.plugin_utils._check_report.files import write
from ansible_collections.epp.autoupdate.plugins.plugin_utils._check_report.junit import junit
from ansible_collections.epp.autoupdate.plugins.plugin_utils._check_report.markdown import LONGEST, code, markdown
from ansible_collections.epp.autoupdate.plugins.plugin_utils._check_report.observations import Observations
from ansible_collections.epp.autoupdate.plugins.plugin_utils._drift import KINDS

from .test_verdict import differs, drifted, failed, lost, report

HOSTILE = "``` <img src=x> | [a](javascript:b) @team #1 \x1b[31m\x00\u202e\ud800 ]]> & ` \\"


def cases(xml: str) -> dict[tuple[str, str], ET.Element]:
    found = ET.fromstring(xml).iter("testcase")
    return {(case.attrib["classname"], case.attrib["name"]): case for case in found}


def test_junit_has_one_test_case_for_each_host_and_kind() -> None:
    found = cases(junit(report(drifted)))
    assert {kind for host, kind in found if host == "n1"} == set(KINDS) - {"web server"}
    assert "web server" in {kind for host, kind in found if host == "updates"}
    assert [key for key, case in found.items() if len(case)] == [("n1", "timer")]
    assert set(found) == set(cases(junit(report()))), "the same test cases, whatever is found"


def test_junit_tells_drift_faults_and_absence_apart() -> None:
    found = cases(junit(report(failed, lost, allowed=("laptops",))))
    assert [one.tag for one in found["n1", "comparison"]] == ["error"]
    assert [one.tag for one in found["n2", "comparison"]] == ["skipped"]
    assert [one.tag for one in cases(junit(report(lost)))["n2", "comparison"]] == ["error"]
    assert ("n2", "timer") not in found
    (failure,) = cases(junit(report(lambda one: one.compared("n1", differs(diff="-a\n+b\n")))))["n1", "timer"]
    assert failure.tag == "failure"
    assert failure.text == "timer /etc/systemd/system/epp-update.timer: differs\n    -a\n    +b"


def test_junit_counts_in_each_suite_and_in_all() -> None:
    root = ET.fromstring(junit(report(drifted, lost)))
    assert (root.attrib["failures"], root.attrib["errors"], root.attrib["skipped"]) == ("1", "1", "0")
    assert int(root.attrib["tests"]) == len(list(root.iter("testcase")))
    counted = {suite.attrib["name"]: (suite.attrib["failures"], suite.attrib["errors"]) for suite in root}
    assert counted == {"run": ("0", "0"), "n1": ("1", "0"), "n2": ("0", "1"), "updates": ("0", "0")}


def test_hostile_text_stays_text() -> None:
    told = report(lambda one: one.compared("n1", differs(text=HOSTILE, diff=f"{HOSTILE}\n````\n")))
    (failure,) = cases(junit(told))["n1", "timer"]
    assert "]]> & `" in str(failure.text)
    assert "\\x1b[31m\\x00\\u202e\\ud800" in str(failure.text)
    text = markdown(told)
    assert all(line.isprintable() for line in text.splitlines())
    outside = "\n".join(re.sub(r"(`+) ?.*? ?(?<!`)\1(?!`)", "", line) for line in without_blocks(text))
    assert not re.search(r"[<|\[\]@\\`]|javascript", outside)


def without_blocks(text: str) -> list[str]:
    """The lines outside fenced blocks, as CommonMark ends these: by a fence that is at least as long."""
    kept, fence = [], ""
    for line in text.splitlines():
        ticks = re.match(r"`{3,}", line)
        if fence:
            fence = "" if line.strip("`") == "" and len(line) >= len(fence) else fence
        elif ticks and "`" not in line[len(ticks[0]) :]:
            fence = ticks[0]
        else:
            kept.append(line)
    assert not fence
    return kept


@pytest.mark.parametrize(
    ("text", "span"),
    [("a", "`a`"), ("`", "`` ` ``"), ("a``b", "```a``b```"), (" a", "`  a `"), ("", ""), ("a\nb", r"`a\nb`")],
)
def test_a_code_span_holds_any_text(text: str, span: str) -> None:
    assert code(text) == span


def test_markdown_is_short_enough_for_a_comment_and_says_what_it_leaves_out() -> None:
    long = "".join(f"{number} {'x' * 400}\n" for number in range(20))
    names = [f"host-{number:04}" for number in range(500)]
    text = markdown(report(*((lambda one, n=name: one.compared(n, differs(diff=long))) for name in names)))
    assert len(text) <= LONGEST
    assert "check.json" in text.splitlines()[-1]
    assert text.count("`host-") >= 500, "drift comes before its differences"
    assert without_blocks(text)


def test_markdown_begins_with_the_verdict_and_the_numbers() -> None:
    numbers = "3 hosts: 1 drifted, 1 unreachable, 1 clean; 1 may be unreachable"
    head = f"## Autoupdate check: drift\n\nHosts differ from the inventory. {numbers}. As of 2026-11-30T12:01:00Z.\n"
    assert markdown(report(drifted, lost, allowed=("1",))).startswith(head)


def test_files_are_replaced_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    place = tmp_path / "a" / "b"
    write(place, report(drifted))
    opened = (place / "check.json").open()
    write(place, report())
    with opened:
        assert json.load(opened)["verdict"] == "drift", "whoever reads has the whole of the file that was there"
    assert json.loads((place / "check.json").read_text())["verdict"] == "clean"
    assert sorted(os.listdir(place)) == ["check.json", "check.md", "check.xml"]
    assert (place / "check.xml").read_text().startswith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ')


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("kept")
    (tmp_path / "check.json").symlink_to(other)
    write(tmp_path, report())
    assert other.read_text() == "kept"
    assert not (tmp_path / "check.json").is_symlink()


def with_diff(one: Observations) -> None:
    one.compared("n1", differs(diff="-a\n+b\n"))


def test_the_guide_shows_the_form_that_is_written() -> None:
    guide = Path(__file__).parents[5] / "docs/docsite/rst/continuous_integration.rst"
    found = re.search(r"code-block:: json\n\n((?:    .*\n)+)", guide.read_text(encoding="utf-8"))
    assert found
    shown, real = json.loads(found[1]), report(with_diff, lost, allowed=("1",)).to_dict()
    assert forms(shown) == forms(real)
    assert list(shown) == list(real)


def forms(content: Any) -> Any:
    """Plain data with types for values; of a list the forms of its elements, each once."""
    if isinstance(content, dict):
        return {name: forms(one) for name, one in content.items()}
    if isinstance(content, list):
        return sorted({json.dumps(forms(one), sort_keys=True) for one in content})
    return type(content).__name__
