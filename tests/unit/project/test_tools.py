# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tools that run the steps: what they report, which interpreters and which files they choose."""

from __future__ import annotations

import os
import subprocess
import time

import pytest
from ansible_collections.epp.autoupdate.tests.tools import beside, documented, environments, interpreters, report, tree
from ansible_collections.epp.autoupdate.tests.tools.report import FAILED, PASSED, SKIPPED, Row, Skip

from . import repository


def test_the_last_line_counts_steps():
    rows = [Row("a", PASSED, 1.0), Row("b", FAILED, 2.0, "ruff ended with 1"), Row("c", PASSED, 61.0)]
    lines = list(report.table(rows, 64.0))
    assert lines[-1] == "2 passed, 1 failed"
    assert lines[-2] == "3 steps in 1:04"


def test_what_did_not_run_is_named():
    skips = (Skip("test_boot", "needs root"), Skip("test_power", "needs root"))
    lines = list(report.table([Row("lab", SKIPPED, 0.1, "", skips), Row("a", PASSED, 1.0)], 1.1))
    at = lines.index("lab did not run, needs root:")
    assert lines[at + 1 : at + 3] == ["  test_boot", "  test_power"]
    assert lines[-1] == "1 passed, 0 failed, 1 skipped"


def test_junit_names_every_skipped_test_and_its_reason(tmp_path):
    path = tmp_path / "a.xml"
    path.write_text(
        '<testsuites><testsuite><testcase classname="m" name="runs"/>'
        '<testcase classname="m" name="waits"><skipped message="no systemd here"/></testcase></testsuite></testsuites>'
    )
    outcome = report.junit(path)
    assert outcome.note == "1 tests, 1 skipped"
    assert outcome.skips == (Skip("m::waits", "no systemd here"),)
    assert outcome.ran


@pytest.mark.parametrize("cases", ["", '<testcase classname="m" name="a"><skipped message="x"/></testcase>'])
def test_a_step_whose_every_test_was_skipped_did_not_run(tmp_path, cases):
    path = tmp_path / "a.xml"
    path.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    assert not report.junit(path).ran


def test_shims_are_no_interpreters(tmp_path, monkeypatch):
    shims, real = tmp_path / "shims", tmp_path / "bin"
    monkeypatch.setenv("PATH", os.pathsep.join([str(shims), str(real)]))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert interpreters.search_path() == str(real)


def test_an_interpreter_that_does_not_start_is_not_found(tmp_path, monkeypatch):
    broken = tmp_path / "python3.99"
    broken.write_text("#!/bin/sh\necho 'command not found' >&2\nexit 127\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert interpreters.find((3, 99)) is None


def test_the_link_follows_the_work_tree(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        parent = tree.link(tmp_path / name, tmp_path / "collections")
        assert (parent / "ansible_collections" / "epp" / "autoupdate").resolve() == tmp_path / name


def test_a_tree_without_git_is_walked_without_its_caches(tmp_path):
    for name in ("plugins/a.py", ".cache/b.py", "README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert tree.files(tmp_path) == ["README.md", "plugins/a.py"]


def test_the_settings_of_pip_reach_programs_that_drop_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    environments.private_home(tmp_path, tmp_path / "venv" / "bin")
    config = tmp_path / ".config" / "pip" / "pip.conf"
    assert "index-url = https://index.example/simple" in config.read_text()
    assert config.stat().st_mode & 0o077 == 0


def test_an_environment_is_rebuilt_when_an_included_file_changes(tmp_path):
    (tmp_path / "base.txt").write_text("a\n")
    (tmp_path / "more.txt").write_text("-r base.txt\nb\n")
    python = interpreters.Interpreter("/usr/bin/python3", (3, 11))
    before = environments._fingerprint(tmp_path / "more.txt", python)
    (tmp_path / "base.txt").write_text("a>=2\n")
    assert environments._fingerprint(tmp_path / "more.txt", python) != before


def test_work_beside_other_work_keeps_its_output_until_it_is_asked_for(tmp_path, capfd):
    def work():
        os.write(1, b"said by itself\n")
        subprocess.run(["echo", "said by its program"], check=True)
        return [Row("lab", PASSED, 1.0)]

    with beside.beside(work, tmp_path / "log") as finish:
        while "its program" not in _text(tmp_path / "log"):
            time.sleep(0.01)
        assert capfd.readouterr().out == ""
        assert finish() == [Row("lab", PASSED, 1.0)]
    assert capfd.readouterr().out == "said by itself\nsaid by its program\n"


def _text(path):
    return path.read_text() if path.exists() else ""


def test_work_beside_that_dies_is_told_with_its_output(tmp_path, capfd):
    def work():
        os.write(1, b"the last words\n")
        os._exit(3)

    with beside.beside(work, tmp_path / "log") as finish, pytest.raises(beside.Died, match="ended with 3"):
        finish()
    assert capfd.readouterr().out == "the last words\n"


def test_what_the_work_beside_has_started_ends_with_the_block(tmp_path):
    reading, writing = os.pipe()

    def work():
        return subprocess.run(
            ["sh", "-c", "echo up; sleep 60; echo it went on"], stdout=writing, check=False
        ).returncode

    def interrupted():
        with beside.beside(work, tmp_path / "log"):
            os.close(writing)
            assert os.read(reading, 9) == b"up\n"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert os.read(reading, 9) == b"", "all that could write to the pipe has ended"
    os.close(reading)


PRINTED = "1. It begins\n   n1: updated\n   n2: updated\n2. It ends\n   at 2026-11-29T12:00:00Z\n"


@pytest.mark.parametrize(
    ("block", "wrong"),
    [
        ("1. It begins\n   n2: updated\n2. It ends\n   at 2026-11-30T01:02:03Z\n", []),
        ("1. It begins\n   n1: failed\n2. It ends\n", ["   n1: failed"]),
        ("2. It ends\n   n2: updated\n", ["   n2: updated"]),
    ],
)
def test_what_readme_has_of_the_demo_is_what_is_printed_in_its_order(block, wrong):
    assert list(documented.not_printed(f"# Demo\n\n```text\n{block}```\n\n```text\nanother\n```\n", PRINTED)) == wrong


def test_readme_has_the_demo():
    assert len(documented.blocks(repository.text("README.md"))) == 2
