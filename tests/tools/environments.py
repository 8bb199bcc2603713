# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual environments under ``.cache/``, rebuilt when their requirements or their interpreter change."""

from __future__ import annotations

import configparser
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .interpreters import Interpreter

_NO_PIP = "{path} has neither ensurepip nor pip to build an environment with; Debian has them in python3-venv"
_PIP_CONFIGS = ("~/.pip/pip.conf", "~/.config/pip/pip.conf")


def ensure(directory: Path, requirements: Path, interpreter: Interpreter) -> Path:
    """Build the environment unless it is there already; return its ``bin`` directory.

    Raises LookupError where the interpreter lacks what it takes.
    """
    stamp = directory / ".built-from"
    wanted = _fingerprint(requirements, interpreter)
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        print(f"building {directory.name} from {requirements.name} with Python {interpreter.dotted} ...", flush=True)
        shutil.rmtree(directory, ignore_errors=True)
        _build(directory, requirements, interpreter)
        stamp.write_text(wanted, encoding="utf-8")
    return directory / "bin"


def _build(directory: Path, requirements: Path, interpreter: Interpreter) -> None:
    install = ["install", "--quiet", "--quiet", "--disable-pip-version-check", "--requirement", str(requirements)]
    if _has_module(interpreter.path, "ensurepip"):
        subprocess.run([interpreter.path, "-m", "venv", str(directory)], check=True)
        pip = [str(directory / "bin" / "python"), "-m", "pip"]
    else:
        # Debian without python3-venv: an environment without pip of its own, filled by the pip outside it.
        outer = next((path for path in (interpreter.path, sys.executable) if _has_module(path, "pip")), None)
        if outer is None:
            raise LookupError(_NO_PIP.format(path=interpreter.path))
        subprocess.run([interpreter.path, "-m", "venv", "--without-pip", str(directory)], check=True)
        pip = [outer, "-m", "pip", "--python", str(directory / "bin" / "python")]
        install.append("pip")
    subprocess.run([*pip, *install], check=True, stdin=subprocess.DEVNULL)


def _has_module(python: str, name: str) -> bool:
    return subprocess.run([python, "-c", f"import {name}"], check=False, capture_output=True).returncode == 0


def _fingerprint(requirements: Path, interpreter: Interpreter) -> str:
    digest = hashlib.sha256(f"{interpreter.path} {interpreter.dotted}\n".encode())
    for path in _with_included(requirements):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _with_included(requirements: Path) -> list[Path]:
    found = [requirements]
    for line in requirements.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            found += _with_included(requirements.parent / line[3:].strip())
    return found


def private_home(home: Path, environment: Path) -> Path:
    """A home directory for ansible-test, so that its 140 MB of environments stay under ``.cache/``.

    ansible-test hands nothing of pip's environment variables on, so they become a pip.conf there. And it would
    download a script that installs pip; the stand-in lets the environment's own pip do that, which works without
    the network that serves the script.
    """
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in ("24_2", "25_2"):  # what ansible-core 2.18 to 2.22 ask for
        (cache / f"get_pip_{version}.py").write_text(_BOOTSTRAP.format(python=str(environment / "python")))
    config = home / ".config" / "pip" / "pip.conf"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.touch(mode=0o600)  # an index URL may hold a password
    with config.open("w", encoding="utf-8") as stream:
        _pip_config().write(stream)
    return home


def _pip_config() -> configparser.RawConfigParser:
    merged = configparser.RawConfigParser()
    merged.read([os.path.expanduser(name) for name in _PIP_CONFIGS] + [os.environ.get("PIP_CONFIG_FILE", os.devnull)])
    if not merged.has_section("global"):
        merged.add_section("global")
    for name, value in os.environ.items():
        if name.startswith("PIP_") and name != "PIP_CONFIG_FILE":
            merged.set("global", name[4:].lower().replace("_", "-"), value)
    return merged


_BOOTSTRAP = '''\
"""Stand-in for the script that installs pip: the pip of another environment does it."""
import subprocess
import sys

packages = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
subprocess.check_call(
    [{python!r}, "-m", "pip", "--python", sys.executable, "install", "-q", "--disable-pip-version-check"] + packages
)
'''
