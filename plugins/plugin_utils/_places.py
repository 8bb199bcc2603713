# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file and the line of the inventory in which a value stands, as far as Ansible knows them.

From ansible-core 2.19 on, whatever is read from a file has a tag with its origin, numbers included. In 2.18, texts,
mappings and lists of YAML files have a position. Neither is there for what a template has made, for variables on the
command line, or for those of inventory scripts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

try:
    from ansible._internal._datatag._tags import Origin
except ImportError:  # ansible-core 2.18
    Origin = None

_STEP = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")
Place = tuple[str, "int | None"]
"""A file and the number of a line, the first of which is 1."""


def place_of(variables: Mapping[str, Any], path: str) -> Place | None:
    """The place of a variable (``autoupdate_policy.schedule.window``), or of the nearest thing above it."""
    name, *steps = _steps(path)
    value = variables.get(name)
    found = _place(value)
    for step in steps:
        key, value = _inside(value, step)
        found = _place(key) or _place(value) or found
        if value is None:
            break
    return found


def _steps(path: str) -> list[str]:
    """The names of a path: ``autoupdate_domain_policies[emea/finance].schedule`` has three."""
    return [bracket or plain for bracket, plain in _STEP.findall(path)] or [""]


def _inside(value: Any, step: str) -> tuple[Any, Any]:
    """A key of a mapping, with its place, and what it leads to; of a list None and the element."""
    if isinstance(value, Mapping):
        return next(((key, one) for key, one in value.items() if str(key) == step.strip('"')), (None, None))
    if isinstance(value, Sequence) and not isinstance(value, str) and step.isdigit() and int(step) < len(value):
        return None, value[int(step)]
    return None, None


def _place(value: Any) -> Place | None:
    return next(_known(value), None)


def _known(value: Any) -> Iterator[Place]:
    origin = Origin.get_tag(value) if Origin is not None else None
    if origin is not None and origin.path:
        yield _relative(str(origin.path)), origin.line_num
    position = getattr(value, "ansible_pos", None) if Origin is None else None
    if position and isinstance(position[0], str) and os.path.isabs(position[0]):
        yield _relative(position[0]), position[1]


def _relative(path: str) -> str:
    """The path from where Ansible was started, if it is below that."""
    return path.removeprefix(os.getcwd() + os.sep)
