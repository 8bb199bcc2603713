# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The difference between what a host should hold and what it holds, as values and as Ansible shows it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import Any

from ..canonical import sha256_hex
from ..masking import without_secrets
from ..values import field, frozen
from .resources import Absent, Directory, File, Link, Resource

_LONGEST_TEXT = 100_000
_VERSION = re.compile(rb'\nVERSION = "([0-9A-Za-z.+-]{1,40})"\r?$', re.MULTILINE)
"""In a program of ours, whose sources lie in it as they are (``version.py``). The pattern begins with constant text:
two megabytes are searched for that many times as fast as for the start of a line."""
_HIDDEN_DIFFERENCE = "(what differs is a part of a URL that is not shown)\n"


class Action(str, Enum):
    """What a change does to its path."""

    CREATE = "create"
    MODIFY = "modify"
    REMOVE = "remove"


@frozen
class ActualState:
    """What a path holds now: a regular file has ``content``, a link a ``target``, a directory neither.

    ``mode`` is the permission bits; None for a link. Anything else on a path (a device) has none of the three.
    ``foreign`` tells that it belongs to somebody else than it should.
    """

    content: bytes | None = field(default=None, repr=False)
    target: str | None = None
    mode: int | None = None
    foreign: bool = False


@frozen
class Change:
    """One path that is to change. ``before`` and ``after`` are texts to show; None where there is nothing."""

    path: str
    action: Action
    before: str | None = None
    after: str | None = None
    mode_before: int | None = None
    mode_after: int | None = None
    foreign_before: bool = False

    def to_dict(self) -> dict[str, str]:
        return {"path": self.path, "action": self.action.value}


def compare(entry: Resource, found: ActualState | None) -> Change | None:
    """The change that turns what was found (None: nothing) into the entry; None when it is so already."""
    if isinstance(entry, Absent):
        return None if found is None else _removal(entry, found)
    secret = isinstance(entry, File) and entry.secret
    wanted = _wanted(entry)
    if found == wanted:
        return None
    before, after = None if found is None else _text(found, secret=secret), _text(wanted, secret=secret)
    if before == after and found is not None and found.content != wanted.content:
        after += _HIDDEN_DIFFERENCE
    return Change(
        path=entry.path,
        action=Action.CREATE if found is None else Action.MODIFY,
        before=before,
        after=after,
        mode_before=None if found is None else found.mode,
        mode_after=wanted.mode,
        foreign_before=found is not None and found.foreign,
    )


def ansible_diff(changes: Iterable[Change]) -> list[dict[str, str]]:
    """The changes in the form of Ansible's ``diff``, one item a path."""
    return [
        {
            "before_header": _header(change.path, change.before, change.mode_before, foreign=change.foreign_before),
            "after_header": _header(change.path, change.after, change.mode_after),
            "before": change.before or "",
            "after": change.after or "",
        }
        for change in changes
    ]


def to_result(changes: Iterable[Change], corrections: Iterable[str], **more: Any) -> dict[str, Any]:
    """The plain result of a converge, as its module and its command both return it; ``more`` is of its own kind."""
    changes, corrections = tuple(changes), tuple(corrections)
    diff = ansible_diff(changes)
    if corrections:
        diff.append({"prepared": "".join(f"{line}\n" for line in corrections)})
    return {
        "changed": bool(changes or corrections),
        "changes": [change.to_dict() for change in changes],
        "drift": list(corrections),
        **more,
        "diff": diff,
    }


def _wanted(entry: File | Link | Directory) -> ActualState:
    if isinstance(entry, File):
        return ActualState(content=entry.content, mode=entry.mode)
    if isinstance(entry, Link):
        return ActualState(target=entry.target)
    return ActualState(mode=entry.mode)


def _removal(entry: Absent, found: ActualState) -> Change:
    # Who removes a path does not know any more whether it was secret; its owner-only mode tells.
    private = found.content is not None and found.mode is not None and not found.mode & 0o077
    secret = entry.secret or private
    return Change(entry.path, Action.REMOVE, before=_text(found, secret=secret), mode_before=found.mode)


def _text(found: ActualState, *, secret: bool) -> str:
    if found.target is not None:
        return f"link to {found.target}\n"
    if found.content is None:
        return "directory\n" if found.mode is not None else "special file\n"
    digest = f"{len(found.content)} bytes, sha256 {sha256_hex(found.content)}"
    if secret:
        return f"(hidden: {digest})\n"
    try:
        text = found.content.decode("utf-8")
    except UnicodeDecodeError:
        version = _VERSION.search(found.content)
        return f"({f'version {version[1].decode()}' if version else 'binary'}: {digest})\n"
    return without_secrets(text) if len(text) <= _LONGEST_TEXT and "\0" not in text else f"(binary: {digest})\n"


def _header(path: str, text: str | None, mode: int | None, *, foreign: bool = False) -> str:
    if text is None:
        return f"{path} (absent)"
    owner = ", foreign owner" if foreign else ""
    return path if mode is None else f"{path} (mode {mode:04o}{owner})"
