# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command ``audit``: what was decided, by whom, and whether anybody has changed what was written down (G8)."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping

from ..._core.audit.chain import difference, split
from ..._core.audit.entry import AuditEntry, Unreadable
from ..._core.exit_codes import DONE, FAILED
from ..._host.local_host import LocalHost
from ..._host.output import write_lines
from ..audit.check import find_problems
from ..audit.log import BadHead, read_head, read_log
from .output import print_json

_ABOUT = ("product", "version", "ring", "scope", "name")
_BY = ("user", "on_behalf_of")


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a command line; its verbs set ``run`` to their functions."""
    audit = commands.add_parser("audit", help="show, verify and export what was decided, by whom and why")
    verbs = audit.add_subparsers(dest="verb", required=True, metavar="VERB")
    verify = verbs.add_parser("verify", help="find lines that were removed, changed, added or reordered")
    verify.add_argument("--against", metavar="FILE", help="an export of before, which the audit has to continue")
    verify.set_defaults(run=run_verify)
    show = verbs.add_parser("show", help="show the newest entries")
    show.add_argument("--last", type=int, default=20, metavar="N", help="how many (20); 0: all")
    show.set_defaults(run=run_show)
    explain = verbs.add_parser("explain", help="show all that was decided about a version, with the evidence")
    explain.add_argument("version", help="the version of a component")
    explain.set_defaults(run=run_explain)
    export = verbs.add_parser("export", help="print the whole audit, one line of JSON for each entry")
    export.set_defaults(run=run_export)
    for parser in (verify, show, explain):
        parser.add_argument("--json", action="store_true", help="report as one JSON document")
    export.add_argument("--json", action="store_true", help="no effect: the lines are always JSON")


def run_verify(host: LocalHost, options: argparse.Namespace) -> int:
    """Name every problem; the entries and the digest of the last one are for who keeps them elsewhere."""
    found = find_problems(host)
    content = read_log(host)
    if options.against:
        with open(options.against, "rb") as file:
            other = difference(content, file.read())
        found += [other] if other else []
    try:
        head = read_head(host)
    except BadHead:
        head = None
    count = len(split(content)[0])
    if options.json:
        told = [{"file": one.file or None, "line": one.line or None, "problem": one.words} for one in found]
        print_json({"entries": count, "last": None if head is None else head.digest, "problems": told})
    else:
        good = f"audit: {count} entries, no problem found" + (f"; the last is {head.digest}" if head else "")
        write_lines([f"audit: {problem}" for problem in found] or [good])
    return FAILED if found else DONE


def run_show(host: LocalHost, options: argparse.Namespace) -> int:
    """The newest entries, the oldest of them first."""
    entries = list(_entries(host))
    return _tell(entries[-options.last :] if options.last > 0 else entries, options)


def run_explain(host: LocalHost, options: argparse.Namespace) -> int:
    """Everything about one version, in its order: by it a promotion can be followed from the file alone."""
    found = [entry for entry in _entries(host) if entry.mentions(options.version)]
    if not found and not options.json:
        write_lines([f"audit: no entry is about {options.version}"])
        return DONE
    return _tell(found, options, evidence=True)


def run_export(host: LocalHost, options: argparse.Namespace) -> int:
    """The lines as they are: what was changed is exported, too, for somebody else to verify."""
    del options
    write_lines(line.decode("utf-8", "backslashreplace") for line in split(read_log(host))[0])
    return DONE


def _entries(host: LocalHost) -> Iterator[AuditEntry]:
    """What can be read; the rest is for ``verify``."""
    for line in split(read_log(host))[0]:
        try:
            yield AuditEntry.from_line(line)
        except Unreadable:
            continue


def _tell(entries: list[AuditEntry], options: argparse.Namespace, *, evidence: bool = False) -> int:
    if options.json:
        print_json({"entries": [entry.to_dict() for entry in entries]})
        return DONE
    for entry in entries:
        write_lines([_sentence(entry)])
        if evidence and entry.evidence:
            write_lines([f"    {key}: {json.dumps(one, sort_keys=True)}" for key, one in entry.evidence.items()])
    return DONE


def _in_order(words: Mapping[str, str], first: tuple[str, ...]) -> list[str]:
    """The values of some words, of which lines are sorted by key."""
    known = [key for key in first if key in words]
    return [str(words[key]) for key in (*known, *(key for key in words if key not in known))]


def _sentence(entry: AuditEntry) -> str:
    about = " ".join(_in_order(entry.about, _ABOUT))
    by = " for ".join(_in_order(entry.by, _BY))
    why = f": {entry.reason}" if entry.reason else ""
    return f"{entry.sequence:>6}  {entry.at}  {entry.kind}{f' {about}' if about else ''} (by {by}){why}"
