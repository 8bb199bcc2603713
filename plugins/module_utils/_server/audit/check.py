# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the audit is as it was written; looked at again where its files have changed since the last look."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..._core.audit.chain import WHOLE, Prefix, Problem, problems, split
from ..._core.audit.entry import digest_of
from ..._core.canonical import canonical_json
from ..._core.values import asdict, frozen
from ..._host.host import Host
from .. import paths
from .files import full_files, read_all
from .log import BadHead, read_head

_SHOWN = 200
_DAMAGED = ".damaged-"


@frozen
class Settled:
    """Full files in which nothing was wrong: what changes with any change of them, and what they end with."""

    files: tuple[Any, ...] = ()
    end: Prefix = WHOLE


_NOTHING = Settled()


def find_problems(host: Host, settled: Settled = _NOTHING) -> list[Problem]:
    """All that is wrong with the files and the head, and what was put aside before; ``settled`` is not looked at."""
    aside = [Problem(0, f"a log that was damaged lies aside: {name}") for name in put_aside(host)]
    files = read_all(host, after=len(settled.files))
    content = b"".join(files.values())
    try:
        found = problems(content, read_head(host), settled.end)
    except BadHead as error:
        chain = [problem for problem in problems(content, None, settled.end) if problem.line]
        found = [Problem(0, str(error)), *chain]
    return [*(_placed(one, files, settled.end.count) for one in found), *aside]


def put_aside(host: Host) -> list[str]:
    """The logs that were found damaged; whoever has looked into one takes it away."""
    return [name for name in host.names(paths.AUDIT) if _DAMAGED in name and not name.endswith(".head")]


def first_problem(host: Host, *, remember: bool = False) -> str:
    """What is wrong first, empty where nothing is; from the last look, if no file has changed since.

    The time of the last change of a file, which is looked at, can't be set by any program. ``remember``: for the next
    look, which leaves out full files that have not changed.
    """
    state, known = _state(host), _checked(host)
    if known.get("state") == state:
        return str(known.get("problem", ""))
    settled, full = _settled(host, known), _full(host)
    found = find_problems(host, settled)
    problem = str(found[0])[:_SHOWN] if found else ""
    if remember and host.exists(paths.AUDIT):
        good = settled if found else _settling(host, settled, full)
        told = {"at": int(host.now()), "state": state, "problem": problem, "settled": asdict(good)}
        host.write(paths.AUDIT_CHECKED, canonical_json(told, newline=True), mode=0o600)
    return problem


def _placed(problem: Problem, files: Mapping[str, bytes], before: int) -> Problem:
    """The same with the file, and the line's number in it."""
    line = problem.line - before
    for name, content in files.items() if problem.line else ():
        count = content.count(b"\n")
        if line <= count:
            previous = f"line {line - 1}" if line > 1 else "the last line of the file before"
            words = problem.words.replace(f"line {problem.line - 1} was changed", f"{previous} was changed")
            return Problem(line, words, name)
        line -= count
    return problem


def _state(host: Host) -> list[Any]:
    """What changes with any change of the files, and of the keys that are trusted."""
    files = [_seen(host, path) for path in (paths.AUDIT_LOG, paths.AUDIT_HEAD, paths.KEYRING)]
    return [*files, put_aside(host), *_full(host)]


def _full(host: Host) -> list[Any]:
    return [[path, _seen(host, path)] for path in full_files(host)]


def _seen(host: Host, path: str) -> list[int] | None:
    known = host.status(path)
    return None if known is None else [known.st_ino, known.st_size, known.st_mtime_ns, known.st_ctime_ns]


def _settled(host: Host, known: Mapping[str, Any]) -> Settled:
    """What the last look has settled, as far as it is as it was then."""
    try:
        files, end = known["settled"]["files"], Prefix(**known["settled"]["end"])
    except (KeyError, TypeError):
        return _NOTHING
    return Settled(tuple(files), end) if files and _full(host)[: len(files)] == files else _NOTHING


def _settling(host: Host, settled: Settled, full: list[Any]) -> Settled:
    """What is settled now that nothing was found; ``full`` are the full files as they were before the look."""
    end = settled.end
    for path, _seen_as in full[len(settled.files) :]:
        lines = split(host.read(path) or b"")[0]
        end = Prefix(end.count + len(lines), digest_of(lines[-1])) if lines else end
    return Settled(tuple(full), end)


def _checked(host: Host) -> dict[str, Any]:
    try:
        raw = json.loads(host.read(paths.AUDIT_CHECKED) or b"null")
    except ValueError:
        return {}
    return raw if isinstance(raw, dict) else {}
