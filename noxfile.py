# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same steps as the Makefile's, for people who are used to nox. tests/run.py owns environments and order."""

from __future__ import annotations

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "typing", "units"]


def _steps(session: nox.Session, *steps: str) -> None:
    session.run("python3", "tests/run.py", *steps, external=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff, yamllint, ansible-lint, changelog and documentation lint."""
    _steps(session, "lint", "changelog", "docs-lint")


@nox.session
def typing(session: nox.Session) -> None:
    """Mypy, strict on the library."""
    _steps(session, "typing")


@nox.session
def sanity(session: nox.Session) -> None:
    """Ansible's own sanity tests."""
    _steps(session, "sanity", "sanity-pylint")


@nox.session
def units(session: nox.Session) -> None:
    """Unit and property tests."""
    _steps(session, "units")


@nox.session
def integration(session: nox.Session) -> None:
    """Each module in a sandbox, under ansible-test."""
    _steps(session, "integration")


@nox.session
def molecule(session: nox.Session) -> None:
    """Each role in a sandbox, under molecule."""
    _steps(session, "molecule")


@nox.session
def heavy(session: nox.Session) -> None:
    """The lab's long and many cases, the oldest Python of endpoints, pylint."""
    _steps(session, "heavy")


@nox.session
def oldest(session: nox.Session) -> None:
    """The oldest Python of endpoints."""
    _steps(session, "sanity-oldest", "ansible-units")


@nox.session
def matrix(session: nox.Session) -> None:
    """Ansible-core 2.18 to 2.22 and the Pythons of endpoints, as far as they are here."""
    _steps(session, "matrix")


@nox.session
def lab(session: nox.Session) -> None:
    """The fleet of real machines."""
    _steps(session, "lab")


@nox.session
def lab_heavy(session: nox.Session) -> None:
    """The lab's long and many cases."""
    _steps(session, "lab-heavy")


@nox.session
def lab_older(session: nox.Session) -> None:
    """What depends on the release, on Debian 11 and 12."""
    _steps(session, "lab-older")


@nox.session
def lab_vm(session: nox.Session) -> None:
    """A virtual machine, for what no container can show."""
    _steps(session, "lab-vm")


@nox.session
def lab_all(session: nox.Session) -> None:
    """The whole lab on Debian 11, 12, 13 and the next one."""
    _steps(session, "lab-all")


@nox.session
def rulebook(session: nox.Session) -> None:
    """An alert starts an Update Now, through ansible-rulebook."""
    _steps(session, "rulebook")


@nox.session
def demo(session: nox.Session) -> None:
    """The sandbox fleet."""
    _steps(session, "demo")


@nox.session
def lock(session: nox.Session) -> None:
    """What an update server installs of cvdupdate, by version and hash."""
    _steps(session, "lock")


@nox.session
def docs(session: nox.Session) -> None:
    """The HTML documentation."""
    _steps(session, "docs")
