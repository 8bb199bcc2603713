# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: the update server's way in: its line in the ``authorized_keys`` of the user that it notifies as (N5)."""

from __future__ import annotations

import stat
import syslog
from collections.abc import Iterator

from .._core.authorized_keys import wanted_line, with_line
from .._core.changes import Action, Change
from .._core.document import EndpointDocument
from .._core.values import value
from .._host.homes import Account, account, change_file
from .._host.host import Host
from . import places

_FOLDER, _NAME = ".ssh", "authorized_keys"


class NotFollowed(OSError):
    """The file can't be changed safely, so it is not."""


@value
class Edit:
    """What is to change in one user's file; ``line`` None takes ours out."""

    user: str
    line: str | None
    change: Change

    def carry_out(self, host: Host) -> None:
        """Change the file; raises OSError."""
        line = self.line
        change_file(host, account(host, self.user), _FOLDER, _NAME, lambda content: with_line(content, line))


def edits(host: Host, wanted: EndpointDocument | None, before: EndpointDocument | None) -> tuple[Edit, ...]:
    """What has to change so that exactly the wanted document's server may notify; removals first.

    Raises NotFollowed where a line is wanted and its file can't be trusted, LookupError for a user that does not exist.
    """
    found: list[Edit] = []
    line = _line(wanted)
    former = _user(before)
    if former and (line is None or former != _user(wanted)):
        found.extend(_removal(host, former))
    if line is not None:
        found.extend(_edit(host, _user(wanted), line))
    return tuple(found)


def _line(document: EndpointDocument | None) -> str | None:
    if document is None or document.server is None or document.server.notify_key is None:
        return None
    command = f"{places.AGENT} notice"
    return wanted_line(document.server.notify_key, command)


def _user(document: EndpointDocument | None) -> str:
    return document.server.notify_user if document is not None and document.server is not None else ""


def _removal(host: Host, user: str) -> Iterator[Edit]:
    """A file that can't be trusted, or of a user that is gone, keeps nobody from leaving; it is told."""
    try:
        yield from _edit(host, user, None)
    except (OSError, LookupError) as error:
        host.log(syslog.LOG_WARNING, f"the update server's line is not taken out: {error}")


def _edit(host: Host, user: str, line: str | None) -> Iterator[Edit]:
    owner = account(host, user)
    folder, path = f"{owner.home}/{_FOLDER}", f"{owner.home}/{_FOLDER}/{_NAME}"
    for place in (folder, path):
        _refuse_foreign(host, owner, place)
    content = host.read(path)
    before = content or b""
    after = with_line(before, line)
    if after == before:
        return
    action = Action.CREATE if content is None else Action.MODIFY
    mode = stat.S_IMODE(status.st_mode) if (status := host.status(path)) is not None else None
    texts = (None if content is None else _text(before), _text(after))
    yield Edit(user, line, Change(path, action, *texts, mode_before=mode, mode_after=mode or 0o600))


def _refuse_foreign(host: Host, owner: Account, path: str) -> None:
    status = host.status(path)
    if status is None:
        return
    if stat.S_ISLNK(status.st_mode):
        raise NotFollowed(f"{path} is a symbolic link, which is not followed: nobody may be let in through it")
    if owner.uid is not None and status.st_uid not in (owner.uid, 0):
        raise NotFollowed(f"{path} belongs to somebody else (uid {status.st_uid}): nobody is let in through it")


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
