# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps. Each is a function that runs programs on a workbench and raises StepFailed when one of them fails."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from . import interpreters, programs
from .documented import not_printed
from .lock import renew
from .matrix import MATRIX
from .report import Outcome, Skip
from .suites import SUITES, lab, lab_heavy, lab_older, lab_vm, rulebook
from .workbench import StepFailed, Workbench

TYPED = (
    "plugins/module_utils",
    "plugins/plugin_utils",
    "plugins/filter",
    "plugins/action",
    "plugins/callback",
    "plugins/inventory",
    "tests/tools",
)
ON_ENDPOINTS = tuple(f"tests/unit/plugins/module_utils/{ring}/" for ring in ("_core", "_host", "_endpoint"))
"""What has to hold on every Python of endpoints each day; ``make matrix`` has all tests on all of them."""
_ANTSIBULL_DOCS = (
    "import sys, tempfile; tempfile._RandomNameSequence.characters = 'abcdefghijklmnopqrstuvwxyz0123456789';"
    " from antsibull_docs.cli.antsibull_docs import main; sys.exit(main())"
)
"""The program, with temporary directories of letters and digits: their names stand in what it checks, and one that ends
with an underscore is an unknown reference there."""


def ruff(bench: Workbench) -> Outcome:
    """Ruff's rules for all Python."""
    tools = bench.tools()
    bench.run([tools / "ruff", "check", "."], env=bench.variables(tools))
    return Outcome()


def ruff_format(bench: Workbench) -> Outcome:
    """Ruff's layout for all Python."""
    tools = bench.tools()
    bench.run([tools / "ruff", "format", "--check", "."], env=bench.variables(tools))
    return Outcome()


def yamllint(bench: Workbench) -> Outcome:
    """Yamllint on every YAML file."""
    tools = bench.tools()
    bench.run([tools / "yamllint", "--strict", "."], env=bench.variables(tools))
    return Outcome()


def ansible_lint(bench: Workbench) -> Outcome:
    """Ansible-lint with the production profile, offline."""
    tools = bench.tools()
    copied = bench.copied  # it leaves a directory of its own behind
    env = bench.variables(tools, copied.parents[2])
    bench.run([tools / "ansible-lint", "--offline", "--nocolor"], env=env, cwd=copied)
    return Outcome()


def typing(bench: Workbench) -> Outcome:
    """Mypy for Python 3.9, strict, on everything below the modules, which are documentation and one call."""
    tools = bench.tools()
    bench.run([tools / "mypy", *TYPED], env=bench.variables(tools))
    return Outcome()


def changelog(bench: Workbench) -> Outcome:
    """Changelog fragments and the changelog of past releases."""
    tools = bench.tools()
    env = bench.variables(tools)
    bench.run([tools / "antsibull-changelog", "lint"], env=env)
    bench.run([tools / "antsibull-changelog", "lint-changelog-yaml", "changelogs/changelog.yaml"], env=env)
    return Outcome()


def docs_lint(bench: Workbench) -> Outcome:
    """Documentation of plugins and roles, the guides and every reference in them."""
    tools = bench.tools()
    checks = ["--plugin-docs", "--validate-collection-refs=all", "--check-extra-docs-refs"]
    program: list[str | Path] = [tools / "python", "-c", _ANTSIBULL_DOCS]
    bench.run([*program, "lint-collection-docs", *checks, "."], env=bench.variables(tools))
    return Outcome()


def units(bench: Workbench) -> Outcome:
    """Unit and property tests: each behavior."""
    return programs.pytest(bench, "units", bench.tools(), *programs.IN_PARALLEL, "-m", "not heavy", "tests/unit")


def units_heavy(bench: Workbench) -> Outcome:
    """The unit tests' long and many cases, which are marked so."""
    return programs.pytest(bench, "units-heavy", bench.tools(), *programs.IN_PARALLEL, "-m", "heavy", "tests/unit")


def sanity(bench: Workbench) -> Outcome:
    """The sanity tests of ansible-test but for its longest one, on the controller's Python."""
    return programs.sanity(bench, "sanity", bench.controller, but=("pylint",))


def sanity_pylint(bench: Workbench) -> Outcome:
    """Pylint as ansible-test has it: more than half of all sanity's time, for what ruff says of most in a second."""
    return programs.sanity(bench, "sanity-pylint", bench.controller, tests=("pylint",))


def sanity_oldest(bench: Workbench) -> Outcome:
    """What ansible-test knows of the oldest Python of endpoints: does everything compile and import there?"""
    oldest = interpreters.find(interpreters.OLDEST_TARGET)
    if oldest is None:
        missing = "{}.{}".format(*interpreters.OLDEST_TARGET)
        return Outcome(skips=(Skip("compile and import", f"no Python {missing} here"),), ran=False)
    return programs.sanity(bench, "sanity-oldest", oldest, tests=("compile", "import"))


def ansible_units(bench: Workbench) -> Outcome:
    """The unit tests of what runs on endpoints, under ansible-test on their oldest Python where there is one."""
    oldest = interpreters.find(interpreters.OLDEST_TARGET)
    return programs.units_of_ansible_test(bench, "ansible-units", oldest, *ON_ENDPOINTS)


def integration(bench: Workbench) -> Outcome:
    """The integration targets of ansible-test: each module in a sandbox, where it needs neither root nor systemd."""
    return programs.integration_of_ansible_test(bench, "integration")


def molecule(bench: Workbench) -> Outcome:
    """Molecule's scenarios: each role converges, twice, and is verified; hosts are directories."""
    return programs.molecule(bench, "molecule")


def package(bench: Workbench) -> Outcome:
    """Build the tarball, install it, verify it, and use it with nothing but its run-time directories."""
    tools = bench.tools()
    place = bench.cache / "package"
    shutil.rmtree(place, ignore_errors=True)
    env = bench.variables(tools, place)
    galaxy: list[str | Path] = [tools / "ansible-galaxy", "collection"]
    bench.run([*galaxy, "build", "--output-path", place], env=env, cwd=bench.copied)
    (tarball,) = place.glob("epp-autoupdate-*.tar.gz")
    bench.run([*galaxy, "install", "--offline", "--pre", "-p", place, tarball], env=env, cwd=place)
    bench.run([*galaxy, "verify", "--offline", "epp.autoupdate"], env=env, cwd=place)
    installed = place / "ansible_collections" / "epp" / "autoupdate"
    for left in installed.iterdir():
        if left.name not in ("meta", "plugins", "roles", "playbooks", "MANIFEST.json", "FILES.json"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    modules = sorted(f"epp.autoupdate.{path.stem}" for path in (installed / "plugins" / "modules").glob("*.py"))
    if not modules:
        raise StepFailed("the tarball holds no module")
    bench.run([tools / "ansible-doc", "--json", *modules], env=env, cwd=place, quiet=True)
    for playbook in sorted((installed / "playbooks").glob("*.yml")):
        name = f"epp.autoupdate.{playbook.stem}"
        bench.run([tools / "ansible-playbook", "--syntax-check", "-i", "localhost,", name], env=env, cwd=place)
    return Outcome(f"{tarball.name}, {tarball.stat().st_size // 1024} KiB, {len(modules)} modules")


def demo(bench: Workbench) -> Outcome:
    """A sandbox fleet from first converge to a bad version that is taken back; ansible-core is all it needs."""
    tools = bench.tools("demo")
    command: list[str | Path] = [tools / "python", "-u", "demo/run.py"]
    printed = bench.log(command, bench.results / "demo.log", env=bench.variables(tools), cwd=bench.root)
    other = list(not_printed((bench.root / "README.md").read_text(encoding="utf-8"), printed))
    if other:
        raise StepFailed(f"README has what the demo does not print, or not there: {other[0].strip()}")
    return Outcome()


def bench(bench: Workbench) -> Outcome:
    """Converge on the lab, compared with builtin modules, mitogen and pyinfra."""
    tools = bench.environment("bench", bench.root / "benchmarks" / "requirements.txt")
    bench.run([tools / "python", "benchmarks/converge"], env=bench.variables(tools))
    return Outcome()


def bench_server(bench: Workbench) -> Outcome:
    """What changes cost an update server of up to 100,000 endpoints."""
    tools = bench.tools()
    bench.run([tools / "python", "benchmarks/server"], env=bench.variables(tools))
    return Outcome()


def docs(bench: Workbench) -> Outcome:
    """The HTML documentation, in ``.cache/docs/build/html``."""
    tools = bench.tools("docs")
    env = bench.variables(tools)
    place = bench.cache / "docs"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o755)
    init: list[str | Path] = [
        tools / "antsibull-docs",
        "sphinx-init",
        "--use-current",
        "--squash-hierarchy",
        "--fail-on-error",
    ]
    bench.run([*init, "--lenient", "--dest-dir", place, "epp.autoupdate"], env=env)
    # antsibull-docs takes the guides alone; their pictures have to lie where the guides look for them.
    shutil.copytree(bench.root / "docs" / "images", place / "images")
    bench.run(["bash", "build.sh"], env=env, cwd=place)
    return Outcome(str(place / "build" / "html" / "index.html"))


def lock(bench: Workbench) -> Outcome:
    """Resolve anew what an update server installs of cvdupdate, by version and hash."""
    return Outcome(f"cvdupdate {renew(bench)}")


def clean(bench: Workbench) -> Outcome:
    """Remove everything that the other steps made."""
    for name in (".cache", ".ansible", ".nox", ".hypothesis", ".pytest_cache", ".mypy_cache", ".ruff_cache"):
        shutil.rmtree(bench.root / name, ignore_errors=True)
    return Outcome()


STEPS: dict[str, Callable[[Workbench], Outcome]] = {
    step.__name__.replace("_", "-"): step
    for step in (
        ruff,
        ruff_format,
        yamllint,
        ansible_lint,
        typing,
        changelog,
        docs_lint,
        units,
        sanity,
        sanity_pylint,
        sanity_oldest,
        ansible_units,
        integration,
        molecule,
        package,
        lab,
        demo,
        units_heavy,
        lab_heavy,
        lab_older,
        lab_vm,
        rulebook,
        bench,
        bench_server,
        lock,
        docs,
        clean,
    )
}
"""The steps by name, in the order in which ``test`` runs its own."""
STEPS.update(MATRIX)
STEPS.update(SUITES)

WAITING = frozenset({"lab", "lab-heavy"})
"""Steps that wait for machines more than they work: the others of their group run beside them."""
BESIDE = WAITING | {"ansible-lint", "sanity", "package", "demo"}
"""Steps that run in one line with those, and one after another: each is one process for most of its time. Those of them
that make or use the copy of the collection must not run beside others that do.
"""
_HEAVY = (
    "sanity-pylint",
    "sanity-oldest",
    "ansible-units",
    "units-heavy",
    "integration",
    "molecule",
    "rulebook",
    "lab-heavy",
)
_NOT_EVERY_DAY = (*_HEAVY, "lab-older", "lab-vm", "bench", "bench-server", "lock", "docs", "clean", *MATRIX, *SUITES)
GROUPS: dict[str, tuple[str, ...]] = {
    "lint": ("ruff", "ruff-format", "yamllint", "ansible-lint"),
    "test": tuple(name for name in STEPS if name not in _NOT_EVERY_DAY),
    "heavy": _HEAVY,
    "matrix": tuple(MATRIX),
    "lab-all": tuple(SUITES),
}
"""Names for several steps.

``test`` is every behavior on one ansible-core, one Python and one Debian; ``heavy`` is its many cases, and the oldest
Python of endpoints.
"""
