# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts that are written down in several places agree with each other."""

from __future__ import annotations

import re
import sys

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.version import VERSION
from ansible_collections.epp.autoupdate.tests.tools.steps import GROUPS, STEPS

from . import repository

# REUSE-IgnoreStart
HEADER = (
    "Copyright: (c) 2026, epp.autoupdate contributors",
    "GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)",
    "SPDX-License-Identifier: GPL-3.0-or-later",
)
# REUSE-IgnoreEnd
WITHOUT_HEADER = re.compile(r"^(LICENSE|LICENSES/.*|changelogs/changelog\.yaml|CHANGELOG\.(md|rst)|.*\.(json|png))$")


def test_every_file_says_whose_it_is_and_under_which_license():
    bare = []
    for path in repository.files():
        name = path.relative_to(repository.ROOT).as_posix()
        if not path.is_file() or path.is_symlink() or not path.stat().st_size or WITHOUT_HEADER.match(name):
            continue
        head = "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[:8])
        if not all(line in head for line in HEADER):
            bare.append(name)
    assert bare == []


def test_the_action_group_holds_exactly_the_modules():
    runtime = repository.load("meta", "runtime.yml")
    assert runtime["action_groups"]["all"] == repository.modules()


@pytest.mark.parametrize("module", repository.modules())
def test_every_module_says_that_it_is_in_the_action_group(module):
    fragments = repository.documentation(module).get("extends_documentation_fragment", [])
    assert any("attributes" in fragment for fragment in fragments)


def test_every_module_has_an_integration_target():
    """By its name, or as ``module_<name>`` with an alias where a role has that name."""
    places = repository.ROOT / "tests" / "integration" / "targets"
    for module in repository.modules():
        name = f"module_{module}" if module in repository.roles() else module
        assert (places / name / "tasks" / "main.yml").is_file(), name
        aliases = (places / name / "aliases").read_text(encoding="utf-8").splitlines()
        assert name == module or module in aliases


def test_the_tarball_leaves_out_what_git_ignores_and_what_only_developers_need():
    ignored = repository.load("galaxy.yml")["build_ignore"]
    lines = repository.text(".gitignore").splitlines()
    from_git = {line.rstrip("/") for line in lines if line and not line.startswith("#")}
    assert {name for name in from_git if not name.startswith("tests/")} - set(ignored) == set()
    assert {"tests", "benchmarks", "Makefile"} <= set(ignored)


def test_the_agent_has_the_version_of_the_collection():
    assert repository.load("galaxy.yml")["version"] == VERSION


def test_nothing_is_required_of_a_control_node_but_ansible_core():
    assert repository.load("galaxy.yml")["dependencies"] == {}
    wanted = [line for line in repository.text("meta", "ee-requirements.txt").splitlines() if not line.startswith("#")]
    assert [line for line in wanted if line.strip()] == []


def test_make_and_nox_only_name_steps_that_exist():
    known = set(STEPS) | set(GROUPS)
    called = re.findall(r"\$\(RUN\) (.+)", repository.text("Makefile"))
    assert {step for line in called for step in line.split()} <= known
    sessions = re.findall(r"_steps\(session, (.+)\)", repository.text("noxfile.py"))
    assert {step.strip('" ') for line in sessions for step in line.split(",")} <= known


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_the_type_checker_and_the_linter_assume_the_oldest_python_of_endpoints():
    import tomllib

    project = tomllib.loads(repository.text("pyproject.toml"))
    assert project["tool"]["mypy"]["python_version"] == "3.9"
    assert project["tool"]["ruff"]["target-version"] == "py39"
    assert repository.load("tests", "config.yml")["modules"]["python_requires"] == ">=3.9"
