# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide to upgrades, by its own commands: a newer collection on a few hosts first, then on all, and back again."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.version import VERSION
from ansible_collections.epp.autoupdate.tests.tools import tree
from ansible_collections.epp.autoupdate.tests.unit.own_programs import needs

ROOT = Path(tree.__file__).resolve().parents[2]
NEWER = "1.1.0"
_INSTALLED = re.compile(r"epp\.autoupdate:==(\S+)")


def commands() -> list[str]:
    """What the guide tells to type."""
    guide = (ROOT / "docs/docsite/rst/getting_started.rst").read_text(encoding="utf-8")
    section = guide.partition("Upgrade and downgrade\n---")[2].partition("\n---")[0]
    return [line.partition("#")[0].strip() for line in re.findall(r"^    \$ (.+)$", section, re.MULTILINE)]


class Control:
    """A control node with collections of its own, and three endpoints of which one is a canary."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self._archives: dict[str, Path] = {}
        endpoint = {
            "autoupdate_product": "command",
            "autoupdate_command": {"update": ["/bin/true"], "version": ["/bin/echo", "1"]},
            "autoupdate_scheduler": "systemd",
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
        }
        hosts = {name: {"autoupdate_installroot": str(self.root(name))} for name in ("n1", "n2", "n3")}
        groups = {"canaries": {"hosts": {"n1": {}}}, "autoupdate_endpoints": {"hosts": dict.fromkeys(hosts)}}
        inventory = {"all": {"vars": endpoint, "hosts": hosts, "children": groups}}
        (work / "inventory.yml").write_text(json.dumps(inventory))

    def root(self, host: str) -> Path:
        return self.work / "hosts" / host

    def archive(self, version: str) -> Path:
        """What galaxy would have under that version."""
        if version not in self._archives:
            source = self.work / f"source-{version}"
            for name in tree.files(ROOT):
                target = source / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target, follow_symlinks=False)
            for name in ("galaxy.yml", "plugins/module_utils/_core/version.py"):
                path = source / name
                path.write_text(path.read_text(encoding="utf-8").replace(VERSION, version), encoding="utf-8")
            self._run("ansible-galaxy", "collection", "build", str(source), "--output-path", str(self.work))
            self._archives[version] = self.work / f"epp-autoupdate-{version}.tar.gz"
        return self._archives[version]

    def type(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the guide; what it installs from galaxy comes from an archive."""
        return self._run(*shlex.split(_INSTALLED.sub(lambda found: str(self.archive(found[1])), command)))

    def _run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        program = ["-m", "ansible", argv[0].removeprefix("ansible-")]
        own = {"ANSIBLE_COLLECTIONS_PATH": str(self.work / "collections"), "ANSIBLE_NOCOLOR": "1"}
        own |= {"ANSIBLE_LOCAL_TEMP": str(self.work / "local"), "ANSIBLE_REMOTE_TEMP": str(self.work / "remote")}
        environment = {**{name: one for name, one in os.environ.items() if name != "PYTHONPATH"}, **own}
        return subprocess.run(
            [sys.executable, *program, *argv[1:]],
            cwd=self.work,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def versions(self) -> dict[str, str]:
        """What each host's agent says."""
        told = {}
        for host in ("n1", "n2", "n3"):
            agent = self.root(host) / "usr/local/bin/epp-agent"
            told[host] = subprocess.run(
                [agent, "--version"], capture_output=True, text=True, check=True
            ).stdout.split()[-1]
        return told


@pytest.fixture
def control(tmp_path: Path) -> Control:
    return Control(tmp_path)


@needs("ansible")
@pytest.mark.heavy
def test_upgrade_by_canaries_and_the_way_back(control: Control) -> None:
    install, check, some, try_out, all_of_them = commands()
    back = install.replace(NEWER, VERSION)
    assert done(control.type(back)) == 0
    assert done(control.type(all_of_them)) == 0
    assert set(control.versions().values()) == {VERSION}

    assert done(control.type(install)) == 0
    differs = control.type(check)
    assert differs.returncode == 2, differs.stdout
    assert f"n2: program /usr/local/bin/epp-agent: agent {VERSION}, collection {NEWER}" in differs.stdout
    assert done(control.type(some)) == 0
    assert control.versions() == {"n1": NEWER, "n2": VERSION, "n3": VERSION}
    assert done(control.type(try_out)) == 0
    assert done(control.type(all_of_them)) == 0
    assert set(control.versions().values()) == {NEWER}
    assert done(control.type(check)) == 0

    assert done(control.type(back)) == 0
    assert done(control.type(all_of_them)) == 0
    assert set(control.versions().values()) == {VERSION}
    assert done(control.type(check)) == 0


def done(process: Any) -> int:
    """The exit code, with everything that was said where that is not 0."""
    assert process.returncode == 0, process.stdout + process.stderr
    return 0
