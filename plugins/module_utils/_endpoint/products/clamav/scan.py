# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scanning with ClamAV: through clamd where it answers (its databases are in memory), else by clamscan."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence

from ...._core.results import ScanOutcome
from ...._core.settings.endpoint import ClamavSettings
from ...._host.host import Completed, Host
from .clamd import Clamd
from .database_directory import await_reload

_FOUND = re.compile(r"(?P<path>.+): (?P<name>\S+?)(?:\([0-9a-f]+:\d+\))? FOUND")
_ERROR = re.compile(r"(?:WARNING: |ERROR: )?(?P<path>/.+?): (?P<why>[^:]+?)\.?(?: ERROR)?")
_NO_FILE = "Not supported file type"
_NO_DATABASE = re.compile(r"No supported database files found|cl_load\(\): No such file")
_CLEAN, _INFECTED, _BROKEN = 0, 1, 2


def scan(host: Host, settings: ClamavSettings, paths: Sequence[str], timeout: float) -> ScanOutcome:
    """Scan what exists of ``paths``; a root prefix is put before them and taken off the findings again."""
    present = [host.real(path) for path in paths if host.exists(path)]
    if not present:
        return ScanOutcome(ok=True, why="none of the scan paths exists")
    deadline = time.monotonic() + timeout
    argv = _argv(host, settings, timeout)
    try:
        completed = host.run([*argv, *present], timeout=deadline - time.monotonic())
    except FileNotFoundError:
        return ScanOutcome(ok=False, why=f"{argv[0]} is not installed")
    return _judge(completed, prefix=host.root, program=argv[0], timeout=timeout)


def _argv(host: Host, settings: ClamavSettings, limit: float) -> list[str]:
    common = ["--infected", "--no-summary", "--stdout"]
    clamd = Clamd.of(host, settings.clamd_config)
    if clamd is not None:
        await_reload(host.real(settings.database_directory), limit)
        # No --multiscan: clamd would use all its threads, and a scan must not be felt. --fdpass hands over open files,
        # so that clamd's own user need not be able to read them; over TCP they are streamed.
        handing_over = "--fdpass" if clamd.local else "--stream"
        return ["clamdscan", f"--config-file={settings.clamd_config}", handing_over, *common]
    skipped = "--exclude-dir=^/(proc|sys|dev)($|/)"
    return ["clamscan", "--recursive", skipped, f"--database={host.real(settings.database_directory)}", *common]


def _judge(completed: Completed, *, prefix: str, program: str, timeout: float) -> ScanOutcome:
    findings, errors = parse(completed.out, prefix)
    if completed.timed_out:
        return ScanOutcome(False, findings, f"the scan took longer than {timeout:.0f} s and was ended")
    if completed.code < 0:
        return ScanOutcome(False, findings, f"{program} {completed.ended}")
    if completed.code in (_CLEAN, _INFECTED):
        return ScanOutcome(True, findings)
    errors += parse(completed.err, prefix)[1]
    # A file that went away between listing and opening is no fault of the scan.
    lasting = [(path, why) for path, why in errors if why != _NO_FILE and os.path.lexists(prefix + path)]
    if completed.code == _BROKEN and errors and not lasting:
        return ScanOutcome(True, findings)
    return ScanOutcome(False, findings, _why(lasting, completed, program))


def _why(errors: Sequence[tuple[str, str]], completed: Completed, program: str) -> str:
    if errors:
        path, why = errors[0]
        return f"{len(errors)} files could not be scanned, first {path}: {why}"
    if _NO_DATABASE.search(completed.err):
        return "no database is installed"
    said = (completed.err or completed.out).strip().splitlines()
    return f"{program} {completed.ended}" + (f": {said[-1].strip()}" if said else "")


def parse(output: str, prefix: str = "") -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """(path, signature) of findings and (path, reason) of files that could not be scanned, without the prefix.

    The signature is the last word before ``FOUND``, so a path may hold colons and spaces.
    """
    findings, errors = [], []
    for line in output.splitlines():
        found = _FOUND.fullmatch(line)
        if found:
            findings.append((_without(found["path"], prefix), found["name"]))
            continue
        error = _ERROR.fullmatch(line)
        if error:
            errors.append((_without(error["path"], prefix), error["why"]))
    return tuple(findings), tuple(errors)


def _without(path: str, prefix: str) -> str:
    return path[len(prefix) :] if prefix and path.startswith(prefix + "/") else path
