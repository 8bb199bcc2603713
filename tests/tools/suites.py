# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab: each behavior on one Debian every day, and apart from that its long and many cases.

And on every Debian: all of it, or what depends on the release alone on the older ones.
"""

from __future__ import annotations

from collections.abc import Callable

from . import programs
from .report import Outcome
from .workbench import Workbench

RELEASES = {"bullseye": "11", "bookworm": "12", "trixie": "13", "forky": "14"}
"""Debian's releases by code name, the next one last."""
OLDER = ("bullseye", "bookworm")
_OF_THE_SYSTEM = ("converge", "timers", "privileges", "freshclam", "managed")
"""The test files that ask systemd, cron, polkit, sudo, OpenSSH, freshclam and Python for most."""


def lab(bench: Workbench) -> Outcome:
    """Each behavior on a fleet of real machines, through pytest-ansible; skips itself by name where it cannot run."""
    return _run(bench, "lab", "-m", "not heavy", "tests/lab")


def lab_heavy(bench: Workbench) -> Outcome:
    """The lab's long and many cases, which are marked so."""
    return _run(bench, "lab-heavy", "-m", "heavy", "tests/lab")


def lab_older(bench: Workbench) -> Outcome:
    """What depends on the release, on Debian 11 and 12."""
    files = [f"tests/lab/test_{name}.py" for name in _OF_THE_SYSTEM]
    outcomes = [_run(bench, f"lab-older-{suite}", *files, suite=suite) for suite in OLDER]
    notes = (f"Debian {RELEASES[suite]}: {outcome.note}" for suite, outcome in zip(OLDER, outcomes))
    skips = tuple(skip for outcome in outcomes for skip in outcome.skips)
    return Outcome("; ".join(notes), skips, all(outcome.ran for outcome in outcomes))


def lab_vm(bench: Workbench) -> Outcome:
    """What a container can't show, on a virtual machine: AppArmor, clocks that jump, suspension."""
    options = ["-s", "--ansible-unit-inject-only"]
    return programs.pytest(bench, "lab-vm", bench.tools("lab"), *options, "tests/vm")


def rulebook(bench: Workbench) -> Outcome:
    """An alert starts an Update Now of one endpoint, through ansible-rulebook on loopback; needs Java."""
    return programs.pytest(bench, "rulebook", bench.tools("eda"), "tests/eda")


def _on(suite: str) -> Callable[[Workbench], Outcome]:
    def step(bench: Workbench) -> Outcome:
        return _run(bench, f"lab-{suite}", "tests/lab", suite=suite)

    step.__doc__ = f"The whole lab on Debian {RELEASES[suite]}."
    return step


def _run(bench: Workbench, name: str, *chosen: str, suite: str = "") -> Outcome:
    # Three processes have a fleet each, for they wait more than they work, and take files in the order of conftest.py.
    options = ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"]
    options += ["--ansible-unit-inject-only"]  # else pytest-ansible leaves a tree of links in the work tree
    release = {"EPP_LAB_SUITE": suite} if suite else {}
    return programs.pytest(bench, name, bench.tools("lab"), *options, *chosen, environment=release)


SUITES: dict[str, Callable[[Workbench], Outcome]] = {f"lab-{suite}": _on(suite) for suite in RELEASES}
"""The steps by name."""
