# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contenders: what each is called, how it is started, and what its output says about changes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

FLOOR, OURS, MANAGED = "floor", "ours", "managed"
TITLES = {
    FLOOR: "floor (one `raw` task)",
    OURS: "`epp.autoupdate.site`",
    MANAGED: "the same with an update server",
    "builtin": "`ansible.builtin` modules",
    "mitogen": "the same under mitogen",
    "pyinfra": "pyinfra",
}
WITHOUT = {
    "fast-path": ("ours without the fast path", "plugins/action/endpoint.py", '"--digest", _DIGEST, ', ""),
}
"""What can be left out of a no-op: the title without it, the file that has it, its text there, and what replaces it.
An agent that is not told a digest converges in full, and records nothing; it does not check its own file either."""
_RECAP = re.compile(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


class ContenderFailed(Exception):
    """A contender did not do its work; the text is the end of its output."""


@dataclass(frozen=True)
class Contender:
    """One way to deploy. ``changes`` gets the output and says how many changes all hosts had, or raises."""

    name: str
    argv: tuple[str, ...]
    cwd: Path
    env: dict[str, str] = field(repr=False)
    changes: Callable[[str], int]
    deploys: bool = True


def ansible_changes(output: str, hosts: int) -> int:
    """The sum of ``changed`` in Ansible's recap; raises ContenderFailed unless all hosts are there and well."""
    found = _RECAP.findall(output)
    if len(found) != hosts or any(unreachable != "0" or failed != "0" for _name, _n, unreachable, failed in found):
        raise ContenderFailed(output[-3000:])
    return sum(int(changed) for _name, changed, _unreachable, _failed in found)


def pyinfra_changes(output: str, hosts: int) -> int:
    """The number of operations that changed something; raises ContenderFailed unless every operation went well."""
    found = [line for line in output.splitlines() if line.startswith('{"plan"')]
    if len(found) != 1:
        raise ContenderFailed(output[-3000:])
    results = json.loads(found[0])["results"]
    totals = results["totals"]
    if (
        results["failed_hosts"]
        or totals["error"]
        or any(operation["hosts"] != hosts for operation in results["operations"])
    ):
        raise ContenderFailed(output[-3000:])
    return int(totals["success"])
