# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands of an endpoint with several products: all of them, or one (D2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core import exit_codes
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.cli.parser import main

from ..conftest import Sandbox
from ..converge.test_products import entries, new_version


@pytest.fixture
def several(sandbox: Sandbox) -> Sandbox:
    sandbox.converge(products=entries(sandbox, "ids", "spam"))
    return sandbox


def told(sandbox: Sandbox, capsys: pytest.CaptureFixture[str], *words: str, status: int = exit_codes.DONE) -> Any:
    assert main(["--root", str(sandbox.root), *words, "--json"]) == status
    return json.loads(capsys.readouterr().out)


def test_update_now_is_of_all_products_and_tells_the_worst(
    several: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    new_version(several, "ids", 2)
    content = told(several, capsys, "update-now")
    results = [(one["product"], one["result"]) for one in content["products"]]
    assert results == [("command", "updated"), ("ids", "updated"), ("spam", "current")]
    (several.directory / "spam.upstream").unlink()
    content = told(several, capsys, "update-now", status=exit_codes.FAILED)
    assert (content["product"], content["result"]) == ("spam", "failed")
    assert main(["--root", str(several.root), "update-now"]) == exit_codes.FAILED
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["command", "ids", "spam"]


def test_update_now_of_one_product_leaves_the_others(several: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    new_version(several, "ids", 2)
    new_version(several, "spam", 2)
    content = told(several, capsys, "update-now", "--product", "ids")
    assert content["result"] == "updated"
    assert "products" not in content
    assert (several.directory / "spam.installed").read_text() == "1\n"
    assert main(["--root", str(several.root), "update-now", "--product", "nothing"]) == exit_codes.FAILED
    assert "no product nothing (it has command, ids, spam)" in capsys.readouterr().err


def test_the_status_has_a_section_for_each(several: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    content = told(several, capsys, "status")
    assert [one["product"] for one in content["products"]] == ["command", "ids", "spam"]
    assert all("age" in one["components"][0] for one in content["products"])
    assert {key: content[key] for key in content["products"][0]} == content["products"][0]
    assert main(["--root", str(several.root), "status"]) == exit_codes.DONE
    sections = capsys.readouterr().out.split("\n\n")
    assert [part.count("product  ") for part in sections] == [1, 1, 1]
    assert sections[1].startswith("product           ids\n")


def test_a_scan_and_a_self_test_are_of_one_product(several: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(several, capsys, "scan")["ok"] is True
    content = told(several, capsys, "scan", "--product", "ids", status=exit_codes.FAILED)
    assert content["reason"] == "the definition of ids has no scan: this product has no scanner"
    (several.directory / "ids.installed").write_text("nothing\n")
    assert told(several, capsys, "selftest")["errors"] == []
    content = told(several, capsys, "selftest", "--product", "ids", status=exit_codes.FAILED)
    assert content["errors"] == ["rules tells no version"]


def test_one_product_is_told_without_sections(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    sandbox.converge()
    assert "products" not in told(sandbox, capsys, "status")
    assert "products" not in told(sandbox, capsys, "update-now")
