# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock file of cvdupdate: versions with hashes for each Python, known to the library, and used by the role."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.epp.autoupdate.plugins.module_utils._server.converge import requirements
from packaging.markers import Marker

ROOT = Path(__file__).resolve().parents[3]
LOCK = ROOT / "roles/server/files/cvdupdate.txt"
NEEDED = {"certifi", "charset-normalizer", "click", "colorama", "colorlog", "cvdupdate", "dnspython", "idna"}
NEEDED |= {"packaging", "rangehttpserver", "requests", "urllib3"}
_BLOCK = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>[0-9][^ ]*)(?: ; (?P<marker>[^\\]+?))? \\\n"
    r"(?:    --hash=sha256:[0-9a-f]{64} \\\n)*    --hash=sha256:[0-9a-f]{64}\n"
)


def locked() -> list[re.Match[str]]:
    """Every requirement; there is nothing else in the file but its head."""
    body = re.sub(r"^#.*\n|^\n", "", LOCK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = list(_BLOCK.finditer(body))
    assert "".join(one[0] for one in found) == body
    return found


@pytest.mark.parametrize("number", ["3.9", "3.10", "3.11", "3.12", "3.13", "3.14"])
def test_each_python_has_one_version_of_everything(number: str) -> None:
    environment = {"python_full_version": f"{number}.2", "python_version": number}
    names = [one["name"] for one in locked() if not one["marker"] or Marker(one["marker"]).evaluate(environment)]
    assert sorted(names) == sorted(NEEDED)


def test_the_library_knows_the_file_that_the_role_brings() -> None:
    assert hashlib.sha256(LOCK.read_bytes()).hexdigest() == requirements.CVDUPDATE_LOCK, "run make lock"


def test_the_role_installs_nothing_without_its_hash_and_builds_nothing() -> None:
    tasks = yaml.safe_load((ROOT / "roles/server/tasks/cvdupdate.yml").read_text(encoding="utf-8"))
    (pip,) = [task["ansible.builtin.pip"] for task in tasks if "ansible.builtin.pip" in task]
    assert pip["extra_args"].startswith("--require-hashes --only-binary :all: ")
    assert "name" not in pip
