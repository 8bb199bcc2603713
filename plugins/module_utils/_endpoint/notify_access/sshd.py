# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the sshd of this host would accept the update server, and from which key file (N5).

sshd itself is asked for the configuration that applies to this user and this server, ``Match`` blocks included. Its
answer is recorded with a fingerprint of everything that it depends on, so a converge without changes starts no sshd.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator

from ..._core.settings.update_server import UpdateServer
from ..._core.system_files.sshd_config import DEFAULT_KEYS, Login, is_own, keys_files, obstacles, read_settings, remedy
from ..._core.values import asdict, frozen, replace
from ..._host.host import Host
from ..._host.process import SEARCHED
from .. import paths as places
from . import account as notify_account

CONFIGURATION = "/etc/ssh/sshd_config"
DROP_INS = "/etc/ssh/sshd_config.d"
RECORD = places.STATE_DIRECTORY + "/way-in.json"

_FORMAT = 1
_TIMEOUT_S = 20.0
_SSH_PORT = "22"
_NOWHERE = "192.0.2.1"
"""An address for documentation (RFC 5737), used for a server whose own address is not known here."""
_OTHERS_WRITE = 0o022
_OTHERS_ENTER = 0o001


class _Mute(Exception):
    """sshd does not tell its configuration."""


@frozen
class WayIn:
    """``path`` is the key file of ``user``, ``shared`` whether it serves other users too; ``obstacles`` are sentences.

    ``strict`` is whether sshd checks owners and modes. ``fingerprint`` is empty where sshd was not asked, and where
    there is an obstacle, which is checked again each time.
    """

    user: str
    path: str
    shared: bool = False
    strict: bool = True
    obstacles: tuple[str, ...] = ()
    fingerprint: str = ""

    @property
    def own(self) -> bool:
        """Whether the key file belongs to the collection as a whole."""
        return self.user != notify_account.ROOT and not self.shared

    def barred_by(self, *why: str) -> WayIn:
        """A copy with these obstacles added."""
        return replace(self, obstacles=(*self.obstacles, *(sentence(one) for one in why if one)))

    def remember(self, host: Host) -> None:
        """Record the answer of sshd."""
        if not host.live:
            return
        fingerprint = "" if self.obstacles else self.fingerprint
        kept = {"format": _FORMAT, **asdict(replace(self, obstacles=(), fingerprint=fingerprint))}
        content = json.dumps(kept, sort_keys=True).encode()
        if host.read(RECORD) != content:
            host.write(RECORD, content, mode=0o600)


def way_in(host: Host, server: UpdateServer) -> WayIn:
    """The way in for a server that notifies. In a sandbox sshd is not asked."""
    login = _login(host, server.notify_user)
    if not host.live:
        return unasked(host, login.user)
    known, fingerprint = recorded(host), _fingerprint(host, server, login)
    if known is not None and known.fingerprint == fingerprint:
        found = known
    else:
        found = _asked(host, server, login, fallback=known, fingerprint=fingerprint)
    return found.barred_by(_unusable(host, found, login))


def unasked(host: Host, user: str) -> WayIn:
    """The way in by the defaults of sshd; raises LookupError for a user that does not exist."""
    return WayIn(user, f"{_login(host, user).home}/{DEFAULT_KEYS}")


def recorded(host: Host) -> WayIn | None:
    """The recorded answer of sshd."""
    try:
        raw = json.loads(host.read(RECORD) or b"null")
        return WayIn(raw["user"], raw["path"], raw["shared"], raw["strict"], (), raw["fingerprint"])
    except (ValueError, KeyError, TypeError):
        return None


def _login(host: Host, user: str) -> Login:
    """The login as it will be: an account that is still to be created has a group of its own."""
    from ..._host.filesystem.user_files import account

    if user != notify_account.ROOT:
        home, uid, groups = notify_account.HOME, None, [user]
    else:
        home, uid, groups = account(host, user).home, 0, []
    if host.live:
        uid, groups = _ids_of(host, user, uid, groups)
    return Login(user, tuple(groups), home, uid)


def _ids_of(host: Host, user: str, uid: int | None, groups: list[str]) -> tuple[int | None, list[str]]:
    import grp
    import pwd

    host.read("/etc/group")  # so that a change of it is noticed, wherever groups come from
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return uid, groups
    found = []
    for number in os.getgrouplist(user, entry.pw_gid):
        try:
            found.append(grp.getgrgid(number).gr_name)
        except KeyError:
            pass
    return entry.pw_uid, found


def _fingerprint(host: Host, server: UpdateServer, login: Login) -> str:
    """Of everything that decides the answer of sshd, and of the question itself."""
    import hashlib

    program = _program(host)
    status = host.status(program) if program else None
    digest = hashlib.sha256()
    told = [asdict(login), server.url, (server.notify_key or "").split(" ")[0], program]
    digest.update(json.dumps([*told, status and [status.st_size, status.st_mtime_ns]], sort_keys=True).encode())
    for path in _configuration_files(host, CONFIGURATION):
        content = host.read(path) or b""
        digest.update(f"\0{path}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _configuration_files(host: Host, path: str, depth: int = 0) -> Iterator[str]:
    """The configuration file and the files that it includes, in the order of sshd."""
    yield path
    for line in (host.read(path) or b"").decode("utf-8", "replace").splitlines():
        words = line.replace("=", " ").split()
        if depth < 16 and words and words[0].lower() == "include":  # as deep as sshd itself goes
            for word in words[1:]:
                for found in _matching(host, os.path.join("/etc/ssh", word.strip('"'))):
                    yield from _configuration_files(host, found, depth + 1)


def _matching(host: Host, pattern: str) -> tuple[str, ...]:
    """The paths that match a pattern; a sandbox takes it literally."""
    import fnmatch

    directory, _slash, name = pattern.rpartition("/")
    names = [one for one in host.names(directory) if fnmatch.fnmatchcase(one, name)]
    return tuple(f"{directory}/{one}" for one in names if not one.startswith(".") or name.startswith("."))


def _program(host: Host) -> str:
    return next((path for path in (f"{place}/sshd" for place in SEARCHED) if host.exists(path)), "")


def _asked(host: Host, server: UpdateServer, login: Login, *, fallback: WayIn | None, fingerprint: str) -> WayIn:
    """The answer of sshd now; it is not recorded for a server whose address can't be resolved here."""
    host.real(CONFIGURATION)  # sshd and the resolver look for themselves: this converge can't be repeated by looks
    name, address = _server_place(server)
    login = replace(login, host=name, address=address)
    try:
        settings = _effective(host, login, _SSH_PORT)
        port = settings.get("port", (_SSH_PORT,))[0]
        if port != _SSH_PORT:
            settings = _effective(host, login, port)
    except _Mute as mute:
        lost = fallback if fallback and fallback.user == login.user else None
        return replace(lost or WayIn(login.user, f"{login.home}/{DEFAULT_KEYS}"), fingerprint="").barred_by(str(mute))
    return replace(_judged(host, server, login, settings), fingerprint=fingerprint if address else "")


def _effective(host: Host, login: Login, port: str) -> dict[str, tuple[str, ...]]:
    """The configuration that applies to this login at a port of this host; raises _Mute."""
    program = _program(host)
    if not program:
        raise _Mute("there is no sshd on this host (OpenSSH's server)")
    place = f"host={login.host},addr={login.address or _NOWHERE},laddr=127.0.0.1,lport={port}"
    done = host.run((program, "-T", "-C", f"user={login.user},{place}"), timeout=_TIMEOUT_S)
    if done.code != 0:
        said = (done.err.strip() or f"exit status {done.code}").splitlines()[-1]
        raise _Mute(f"sshd does not tell its configuration (sshd -T): {said}")
    return read_settings(done.out)


def _judged(host: Host, server: UpdateServer, login: Login, settings: dict[str, tuple[str, ...]]) -> WayIn:
    found = obstacles(settings, login, server.notify_key or "")
    paths = keys_files(settings, login) or (f"{login.home}/{DEFAULT_KEYS}",)
    patterns = " ".join(settings.get("authorizedkeysfile", ("",))).split()
    shared = bool(patterns) and not any(is_own(pattern.strip('"')) for pattern in patterns if pattern != "none")
    strict = settings.get("strictmodes", ("yes",)) != ("no",)
    told: tuple[str, ...] = ()
    if found:
        why = "; ".join(one.why for one in found)
        mend = f"Add {_where(host)}, and reload sshd:\n{remedy(found, login)}\nOr else "
        told = (sentence(f"sshd does not let {login.user} in: {why}", mend),)
    return WayIn(login.user, paths[0], shared, strict, told)


def _where(host: Host) -> str:
    """Where lines for sshd must go to take effect: the first value wins, and a Match block ends with its file."""
    text = (host.read(CONFIGURATION) or b"").decode("utf-8", "replace")
    if any(line.split()[:1] == ["Include"] and DROP_INS in line for line in text.splitlines()):
        return f"to {DROP_INS}/00-epp-autoupdate.conf"
    return f"to {CONFIGURATION}, above its first Match block or, where there is none, at its end"


def sentence(why: str, mend: str = "") -> str:
    """Why a server can't notify, what fixes it, and what the alternative is."""
    way_out = "autoupdate_notify: false leaves this endpoint to its own schedule"
    return f"the update server can't notify this endpoint: {why}. {mend}{way_out}"


def _server_place(server: UpdateServer) -> tuple[str, str]:
    """Name and address that the server is likely to connect from: those by which it is reached."""
    import socket
    from urllib.parse import urlsplit

    name = urlsplit(server.url).hostname or ""
    try:
        return name, str(socket.getaddrinfo(name, None)[0][4][0]).partition("%")[0]
    except (OSError, UnicodeError):
        return name, ""


def _unusable(host: Host, way: WayIn, login: Login) -> str:
    """Why sshd would not read the file: its directories are writable by others, or not accessible.

    sshd reads the file as the user. Missing directories are created with the file.
    """
    directory, found = os.path.dirname(way.path), []
    while True:
        status = host.status(directory)
        if status is not None:
            if not stat.S_ISDIR(status.st_mode):
                found.append(f"{directory} is no directory")
            elif way.strict and (status.st_uid not in (0, login.uid) or status.st_mode & _OTHERS_WRITE):
                found.append(f"others than root may write to {directory} (StrictModes)")
            elif status.st_uid != login.uid and not status.st_mode & _OTHERS_ENTER:
                found.append(f"{login.user} can't enter {directory}")
        if directory == "/":
            break
        directory = os.path.dirname(directory)
    return f"sshd would not read {way.path}: {'; '.join(found)}" if found else ""
