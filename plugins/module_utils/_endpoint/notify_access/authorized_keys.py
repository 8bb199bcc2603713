# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the update server gets in: the account that it notifies as, and the line of its key (N5).

The account of the collection has a key file that holds this line alone. The key file of root, and one that serves all
users, belong to others: the line is added to what they hold.
"""

from __future__ import annotations

import os
import stat
import syslog
from collections.abc import Iterator

from ..._core.resources.diff import Action, Change
from ..._core.resources.resources import Absent, Directory, File, Resource
from ..._core.rollout.authorized_keys import authorized_line, with_line
from ..._core.settings.endpoint import EndpointDocument
from ..._core.values import frozen, replace
from ..._host.filesystem.user_files import Account, account, change_file
from ..._host.host import Host
from .. import paths
from . import account as notify_account
from . import sudoers
from .sshd import RECORD, WayIn, recorded, sentence, unasked, way_in

_FOR_ROOT, _FOR_ALL = 0o600, 0o644
"""Modes of a new file: sshd reads it as the user who logs in."""


class UnsafePath(OSError):
    """The file can't be changed safely, so it is left as it is."""


@frozen
class Edit:
    """A change of a key file that belongs to others; ``line`` None removes the collection's line."""

    line: str | None
    change: Change

    def carry_out(self, host: Host) -> None:
        """Change the file; raises OSError."""
        line, path = self.line, self.change.path
        root = account(host, notify_account.ROOT)
        if _is_at_home(path, root):
            folder, name = os.path.split(os.path.relpath(path, root.home))
            change_file(host, root, folder, name, lambda content: with_line(content, line))
        else:  # in directories that are root's alone
            host.write(path, with_line(host.read(path) or b"", line), mode=self.change.mode_after or _FOR_ALL)


@frozen
class Access:
    """Everything that lets the wanted server notify, and no other.

    ``entries`` are files of the collection, ``edits`` changes of others' files, ``corrections`` changes of accounts, in
    words. ``unwanted`` are accounts to remove. ``way`` is the answer of sshd, None where no server notifies;
    ``lacking`` is any other obstacle, one sentence or nothing.
    """

    entries: tuple[Resource, ...] = ()
    edits: tuple[Edit, ...] = ()
    corrections: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    way: WayIn | None = None
    lacking: str = ""

    @property
    def user(self) -> str:
        """The wanted account of the collection; empty for none."""
        return "" if self.way is None or self.way.user == notify_account.ROOT else self.way.user

    @property
    def obstacles(self) -> tuple[str, ...]:
        """The reasons why the server could not notify even so."""
        found = () if self.way is None else self.way.obstacles
        return (*found, sentence(self.lacking)) if self.lacking else found

    def remember(self, host: Host) -> None:
        """Record the answer of sshd, which is asked again only after a change."""
        if self.way is not None:
            self.way.remember(host)

    def proved(self, host: Host, document: EndpointDocument) -> tuple[str, ...]:
        """The obstacles once all is applied; sshd is asked again about an account that was just created, whose groups
        count."""
        way = self.way
        if way is not None and self.corrections and document.server is not None:
            anew = way_in(host, document.server)
            way = replace(way, obstacles=anew.obstacles, fingerprint=anew.fingerprint if anew.path == way.path else "")
        now = replace(self, way=way)
        now.remember(host)
        return now.obstacles

    def make_account(self, host: Host) -> None:
        """Create the account: after its files, before its socket."""
        if self.user:
            notify_account.ensure(host, self.user)

    def remove_accounts(self, host: Host) -> None:
        """Remove the unwanted accounts, once nothing waits for them."""
        for user in self.unwanted:
            notify_account.remove(host, user)


def access(host: Host, wanted: EndpointDocument | None, before: EndpointDocument | None, *, sudo: bool) -> Access:
    """What the wanted document needs (None: nothing), given the document before it.

    ``sudo`` tells whether the account starts the agent through sudo, for want of systemd. Raises UnsafePath where a
    line is wanted and its file can't be trusted, ForeignAccount, and LookupError for a user that does not exist.
    """
    server, former = None if wanted is None else wanted.server, _former(host, before)
    if server is None or server.notify_key is None:
        gone = (
            Absent(sudoers.PATH),
            *_former_file(former, kept=""),
            Absent(notify_account.HOME),
            Absent(RECORD),
        )
        return _with_accounts(host, Access(gone, (*_former_edits(host, former, kept=""),)))
    way, line = way_in(host, server), authorized_line(server.notify_key, command=f"{paths.AGENT} notice")
    edits = [*_former_edits(host, former, kept="" if way.own else way.path)]
    if not way.own:
        edits += _edit(host, way.path, line)
    entries = (*_former_file(former, kept=way.path if way.own else ""), *_own_entries(way, line, sudo=sudo))
    lacking = sudoers.missing(host) if sudo and way.user != notify_account.ROOT else ""
    return _with_accounts(host, Access(entries, tuple(edits), way=way, lacking=lacking))


def owned() -> tuple[str, ...]:
    """Every path of the collection, wherever sshd may look for keys."""
    return (sudoers.PATH, notify_account.HOME)


def _own_entries(way: WayIn, line: str, *, sudo: bool) -> tuple[Resource, ...]:
    """The files of the collection's account; the line's own file is the last. Empty without such an account."""
    if way.user == notify_account.ROOT:
        return (Absent(sudoers.PATH), Absent(notify_account.HOME))
    door: Resource = sudoers.rule(way.user) if sudo else Absent(sudoers.PATH)
    keys: tuple[Resource, ...] = (*_directories(way.path), File(way.path, line.encode() + b"\n")) if way.own else ()
    return (Directory(notify_account.HOME), door, *keys)


def _directories(path: str) -> tuple[Directory, ...]:
    """The directories of a file in the account's home; those elsewhere belong to others."""
    below, directory = [], os.path.dirname(path)
    while directory.startswith(notify_account.HOME + "/"):
        below.append(Directory(directory))
        directory = os.path.dirname(directory)
    return tuple(reversed(below))


def _with_accounts(host: Host, wanted: Access) -> Access:
    """With the changes of accounts."""
    user = wanted.user
    unwanted = notify_account.others(host, user)
    words = (*(notify_account.amiss(host, user) if user else ()), *(f"user {name} is removed" for name in unwanted))
    return replace(wanted, corrections=words, unwanted=unwanted)


def _former(host: Host, before: EndpointDocument | None) -> WayIn | None:
    """The way in before this change: as sshd said, or by its defaults."""
    if before is None or before.server is None or before.server.notify_key is None:
        return recorded(host)
    user = before.server.notify_user
    try:
        return recorded(host) or unasked(host, user)
    except LookupError as error:
        host.log(syslog.LOG_WARNING, f"the update server's line is not taken out: {error}")
        return None


def _former_file(former: WayIn | None, *, kept: str) -> tuple[Absent, ...]:
    """The key file of the collection's account before this change."""
    return () if former is None or not former.own or former.path == kept else (Absent(former.path),)


def _former_edits(host: Host, former: WayIn | None, *, kept: str) -> Iterator[Edit]:
    """The removal of the line from others' files. A file that can't be trusted does not prevent a removal; it is
    reported."""
    if former is None or former.own or former.path == kept:
        return
    try:
        yield from _edit(host, former.path, None)
    except (OSError, LookupError) as error:
        host.log(syslog.LOG_WARNING, f"the update server's line is not taken out: {error}")


def _edit(host: Host, path: str, line: str | None) -> Iterator[Edit]:
    owner = account(host, notify_account.ROOT)
    for place in (os.path.dirname(path), path):
        _refuse_foreign(host, owner, place)
    content = host.read(path)
    before = content or b""
    after = with_line(before, line)
    if after == before:
        return
    action = Action.CREATE if content is None else Action.MODIFY
    mode = stat.S_IMODE(status.st_mode) if (status := host.status(path)) is not None else None
    new = _FOR_ROOT if _is_at_home(path, owner) else _FOR_ALL
    texts = (None if content is None else _text(before), _text(after))
    yield Edit(line, Change(path, action, *texts, mode_before=mode, mode_after=mode or new))


def _is_at_home(path: str, owner: Account) -> bool:
    """Whether the file is in a directory of the home directory, as ``.ssh/authorized_keys`` is."""
    return os.path.dirname(os.path.dirname(path)) == owner.home


def _refuse_foreign(host: Host, owner: Account, path: str) -> None:
    status = host.status(path)
    if status is None:
        return
    if stat.S_ISLNK(status.st_mode):
        raise UnsafePath(f"{path} is a symbolic link, which is not followed: nobody may be let in through it")
    if owner.uid is not None and status.st_uid not in (owner.uid, 0):
        raise UnsafePath(f"{path} belongs to somebody else (uid {status.st_uid}): nobody is let in through it")


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
