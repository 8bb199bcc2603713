# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The test programs that several steps run: pytest, and ansible-test in its private home."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import environments
from .interpreters import Interpreter
from .report import Outcome, Skip, junit
from .workbench import StepFailed, Workbench

WORKERS = "4"
"""Processes for unit tests, on however few cores: many tests wait for programs that they have started."""
IN_PARALLEL = ("-n", WORKERS, "--dist", "worksteal")
"""A process gets neighbors, which share what is made once for a file, and takes others' when it has none left: the
playbooks' tests, a tenth in number and half of the time, are neighbors, too."""
_SCENARIOS = "extensions/molecule"
_OF_EACH_SCENARIO = ("converge", "idempotence", "verify")
_NO_HOSTS = "no hosts matched"
"""What Ansible says of a play that does nothing, which molecule takes for a success."""


def pytest(
    bench: Workbench, name: str, tools: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> Outcome:
    """Run pytest from the environment ``tools``, with an ``environment`` besides the usual one.

    What it tells is read from its JUnit file.
    """
    report = bench.results / f"{name}.xml"
    report.unlink(missing_ok=True)
    command: list[str | Path] = [tools / "python", "-m", "pytest", "-q", f"--junitxml={report}", *arguments]
    bench.run(command, env={**bench.variables(tools), **(environment or {})})
    return junit(report)


def sanity(
    bench: Workbench,
    name: str,
    python: Interpreter,
    *,
    tests: Sequence[str] = (),
    but: Sequence[str] = (),
    tools: Path | None = None,
) -> Outcome:
    """Run ansible-test's sanity tests (all, or ``tests``; none of ``but``) on ``python``."""
    chosen = [word for test in tests for word in ("--test", test)]
    chosen += [word for test in but for word in ("--skip-test", test)]
    output = _ansible_test(bench, name, tools, "sanity", "--python", python.dotted, *chosen)
    warnings = [line[9:] for line in output.splitlines() if line.startswith("WARNING: ")]
    skips = tuple(Skip(line, "as ansible-test says") for line in warnings if "skip" in line.lower())
    count = sum(line.startswith("Running sanity test") for line in output.splitlines())
    if not count:
        raise StepFailed("ansible-test found nothing to test")
    return Outcome(f"{count} tests, Python {python.dotted}", skips)


def units_of_ansible_test(bench: Workbench, name: str, python: Interpreter | None, *only: str) -> Outcome:
    """Run the unit tests of plugins/, or ``only`` those in some directories, under ansible-test.

    They run as on a host with ``python``, else on the controller's.
    """
    where = ["--venv", "--requirements", "--python", python.dotted] if python else ["--python", bench.controller.dotted]
    shutil.rmtree(bench.copied / "tests" / "output", ignore_errors=True)
    _ansible_test(bench, name, None, "units", "--num-workers", WORKERS, *where, *only)
    return junit(*sorted((bench.copied / "tests" / "output" / "junit").glob("python*-units.xml")))


def integration_of_ansible_test(bench: Workbench, name: str) -> Outcome:
    """Run the targets of tests/integration under ansible-test, on the controller's Python."""
    output = _ansible_test(bench, name, None, "integration", "--python", bench.controller.dotted)
    ran = re.findall(r"^Running (\S+) integration test role$", output, re.MULTILINE)
    targets = (bench.copied / "tests" / "integration" / "targets").iterdir()
    left_out = {path.name for path in targets if not path.name.startswith("setup_")} - set(ran)
    if left_out:
        raise StepFailed(f"ansible-test left out {', '.join(sorted(left_out))}")
    return Outcome(f"{len(ran)} targets")


def molecule(bench: Workbench, name: str) -> Outcome:
    """Run the scenarios of extensions/molecule, from the root of the collection: elsewhere they would find no hosts."""
    scenarios = sorted(path.parent.name for path in (bench.copied / _SCENARIOS).glob("*/converge.yml"))
    tools = bench.tools("molecule")
    env = bench.variables(tools, bench.copied.parents[2])
    command: list[str | Path] = [tools / "molecule", "test", "--all"]
    output = bench.log(command, bench.results / f"{name}.log", env=env, cwd=bench.copied)
    if _NO_HOSTS in output:
        raise StepFailed("a scenario of molecule had no hosts")
    done = set(re.findall(r"(\S+ > \S+): Executed: Successful$", output, re.MULTILINE))
    left_out = {f"{name} > {action}" for name in scenarios for action in _OF_EACH_SCENARIO} - done
    if left_out or not scenarios:
        raise StepFailed(f"molecule left out {', '.join(sorted(left_out)) or 'everything'}")
    return Outcome(f"{len(scenarios)} scenarios")


def _ansible_test(bench: Workbench, name: str, tools: Path | None, *arguments: str) -> str:
    tools = tools or bench.tools()
    home = environments.private_home(bench.cache / "home", tools)
    env = bench.variables(tools, HOME=str(home))
    del env["PYTHONPATH"], env["ANSIBLE_COLLECTIONS_PATH"]  # ansible-test finds the copy by where it starts
    command: list[str | Path] = [tools / "ansible-test", *arguments, "--color", "no"]
    return bench.log(command, bench.results / f"{name}.log", env=env, cwd=bench.copied)
