# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YARA rules by the product files, probed by the real yarac as the guide says."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import ReasonKind, Result, Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner.report import RunReport
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    ScriptedServer,
)

from ..conftest import Sandbox
from ..products.files.samples import DIRECTORY, installed, publish_set

pytestmark = pytest.mark.skipif(not shutil.which("yarac"), reason="yarac is not installed")
GUIDE = Path(__file__).resolve().parents[6] / "docs/docsite/rst/products.rst"
GOOD = 'rule Dropper\n{\n    strings:\n        $text = "drop it"\n    condition:\n        $text\n}\n'
INDEX = 'include "rules/dropper.yar"\n'


def printed(pattern: str) -> str:
    """What the guide's section on YARA rules has in this place, in one line."""
    found = re.search(pattern, GUIDE.read_text(encoding="utf-8").partition("\nYARA rules\n")[2])
    assert found
    return " ".join(found[1].split())


class Rules:
    """A folder of rules behind a web server, and an endpoint with the guide's probe."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox, self.folder = sandbox, folder
        self.server = ScriptedServer(str(folder / "public"))
        sources = {"urls": [self.server.url]}
        command = printed(r"command: \[/usr/bin/(yarac, .*)\]").replace(DIRECTORY, sandbox.host.real(DIRECTORY))
        program, *arguments = command.split(", ")
        probe = {"command": [shutil.which(program), *arguments]}
        sandbox.converge(product="files", policy={"sources": sources}, probe=probe)

    def offered(self, version: str, **contents: str) -> RunReport:
        """What becomes of a version with these files: ``rules__dropper`` is ``rules/dropper.yar``."""
        source = self.folder / version
        for name, content in contents.items():
            path = source / f"{name.replace('__', '/')}.yar"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        publish_set(source, self.server.folder, version, source="rules")
        return self.sandbox.runner().run(Trigger.MANUAL)

    def said(self, report: RunReport) -> str:
        """A report as people read it on a host."""
        return report.sentence().replace(str(self.sandbox.root), "")


@pytest.fixture
def rules(sandbox: Sandbox, tmp_path: Path) -> Iterator[Rules]:
    (tmp_path / "public").mkdir()
    made = Rules(sandbox, tmp_path)
    yield made
    made.server.stop()


def test_good_rules_pass(rules: Rules) -> None:
    assert rules.offered("1", index=INDEX, rules__dropper=GOOD).result is Result.UPDATED
    report = rules.offered("2", index=INDEX, rules__dropper=GOOD.replace("drop it", "drop this"))
    assert (report.result, report.why) == (Result.UPDATED, "")


def test_a_syntax_error_is_taken_back_and_told_as_the_guide_says(rules: Rules) -> None:
    rules.offered("1", index=INDEX, rules__dropper=GOOD)
    report = rules.offered("2", index=INDEX, rules__dropper=GOOD.replace("condition", "conditio"))
    told, said = printed(r"code-block:: text\n\n((?:    .*\n)+)"), rules.said(report)
    before, place, _words_of_its_version = told.partition(f"{DIRECTORY}/current/rules/dropper.yar(5)")
    assert place
    assert place in said
    assert said.startswith(before.partition("exit code 1: ")[0])
    assert "syntax error" in said
    assert said.endswith(told.rpartition("; ")[2])
    assert installed(rules.sandbox.host) == {"index.yar": INDEX, "rules/dropper.yar": GOOD}


@pytest.mark.parametrize(
    ("bad", "place", "why"),
    [
        ({"index": INDEX}, "index.yar(1)", "can't open include file"),
        ({"index": INDEX, "rules__dropper": f'import "of_another_yara"\n{GOOD}'}, "dropper.yar(1)", "unknown module"),
        ({"index": f"{INDEX}{GOOD}", "rules__dropper": GOOD}, "index.yar(2)", "duplicated identifier"),
    ],
    ids=["include missing", "unknown module", "two of one name"],
)
def test_rules_that_do_not_compile_are_taken_back(rules: Rules, bad: dict[str, str], place: str, why: str) -> None:
    rules.offered("1", index=INDEX, rules__dropper=GOOD)
    report = rules.offered("2", **bad)
    assert (report.result, report.kind) == (Result.FAILED, ReasonKind.PROBE)
    assert place in report.why
    assert why in report.why
    assert installed(rules.sandbox.host) == {"index.yar": INDEX, "rules/dropper.yar": GOOD}
