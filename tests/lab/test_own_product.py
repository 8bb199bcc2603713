# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide to a product of one's own: its files, its inventory and its commands, as printed, as a user with sudo."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from lab_ansible import INSTALLED, REPOSITORY
from lab_control import USER, ControlNode, let_in
from lab_nodes import Node

pytestmark = pytest.mark.heavy
GUIDE = REPOSITORY / "docs/docsite/rst/own_product.rst"
_BLOCK = re.compile(r"code-block:: (shell|yaml|console)\n\n((?:(?:    [^\n]*)?\n)+)")


def blocks() -> list[tuple[str, str]]:
    """The code blocks of the guide in their order: language and text."""
    found = _BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
    return [(language, "\n".join(line[4:] for line in text.splitlines())) for language, text in found]


@pytest.fixture
def host(node: Callable[[str], Node]) -> Node:
    found = node("n136")
    found.renew()
    return found


def test_the_guide_works_as_printed(host: Node, tmp_path: Path) -> None:
    let_in({"web-1": host})
    control = ControlNode(tmp_path, {"web-1": host}, {})
    for part in INSTALLED:
        shutil.copytree(REPOSITORY / part, control.collection / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "galaxy.yml", control.collection)
    printed = []
    for language, text in blocks():
        if language == "shell":
            host.run(["mkdir", "/opt/acme"])
            host.write("/opt/acme/acme-update", text)
        elif language == "yaml":
            (tmp_path / "inventory.yml").write_text(text)
        else:
            lines = [line.removeprefix("$ ") for line in text.splitlines() if line.strip()]
            printed += [typed(control, host, line) for line in lines]
    results = [
        found[1] for output in printed for found in re.finditer(r"^last manual +(\w+) at ", output, re.MULTILINE)
    ]
    assert results == ["current", "updated", "failed"], printed
    assert "component         signatures 2026.11.2" in printed[-1]
    assert "license has expired" in printed[-1]


def typed(control: ControlNode, host: Node, line: str) -> str:
    if line.startswith("ansible-playbook "):
        control.run(line)
        return ""
    return host.run(line, user=USER).out
