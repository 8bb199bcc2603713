# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What sshd's effective configuration means for one login by key: where it looks, and what bars it (N5)."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping

from ..values import frozen

Settings = Mapping[str, tuple[str, ...]]
"""What ``sshd -T`` tells: keyword, in small letters, to its lines' values."""

DEFAULT_KEYS = ".ssh/authorized_keys"
_SIGNATURES = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
"""By which algorithms a key is proved, where they do not have the key's own name."""
_ACCEPTED = {
    "pubkeyacceptedalgorithms": "PubkeyAcceptedAlgorithms",
    "pubkeyacceptedkeytypes": "PubkeyAcceptedKeyTypes",
}
"""The keyword since OpenSSH 8.5, and the older one."""
_ROOT_BY_KEY = ("yes", "prohibit-password", "without-password", "forced-commands-only")


@frozen
class Login:
    """A login as it will be. ``uid`` is None before the account is made; ``address`` is empty where it is not known."""

    user: str
    groups: tuple[str, ...]
    home: str
    uid: int | None = None
    host: str = ""
    address: str = ""


@frozen
class Obstacle:
    """Why sshd would not let a login in, and the line of sshd_config that would; ``everywhere`` for one that belongs in
    no Match block."""

    why: str
    line: str
    everywhere: bool = False


def read_settings(text: str) -> dict[str, tuple[str, ...]]:
    """The output of ``sshd -T``."""
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        keyword, _space, rest = line.strip().partition(" ")
        if keyword:
            found[keyword.lower()] = (*found.get(keyword.lower(), ()), rest.strip())
    return found


def keys_files(settings: Settings, login: Login) -> tuple[str, ...]:
    """The absolute paths of the files in which sshd looks for the keys of a user, those of that user alone first.

    A file whose name says neither user nor home serves everybody.
    """
    words = [word for line in settings.get("authorizedkeysfile", (DEFAULT_KEYS,)) for word in line.split()]
    patterns = [word.strip('"') for word in words if word != "none"]
    own = [pattern for pattern in patterns if is_own(pattern)]
    return tuple(_expanded(pattern, login) for pattern in (*own, *(one for one in patterns if one not in own)))


def is_own(pattern: str) -> bool:
    """Whether a value of AuthorizedKeysFile means another file for each user."""
    return not pattern.startswith("/") or any(token in pattern for token in ("%u", "%h", "%U"))


def _expanded(pattern: str, login: Login) -> str:
    tokens = {"%": "%", "h": login.home, "u": login.user, "U": "" if login.uid is None else str(login.uid)}
    parts = pattern.split("%")
    path, rest = parts[0], iter(parts[1:])
    for part in rest:
        if part:
            path += tokens.get(part[0], f"%{part[0]}") + part[1:]
        else:  # the first half of %%
            path += "%" + next(rest, "")
    return path if path.startswith("/") else f"{login.home}/{path}"


def obstacles(settings: Settings, login: Login, key: str) -> tuple[Obstacle, ...]:
    """What bars a login by this public key (``ssh-ed25519 AAAA...``), in the order in which sshd asks."""
    return (*_lists(settings, login), *_switches(settings, login), *_algorithms(settings, key))


def remedy(found: Iterable[Obstacle], login: Login) -> str:
    """The lines to add to sshd_config, indented."""
    found = tuple(found)
    lines = [one.line for one in found if one.everywhere and one.line]
    inside = [one.line for one in found if not one.everywhere and one.line]
    if inside:
        lines += [f"Match User {login.user}", *(f"    {line}" for line in inside)]
    return "\n".join(f"    {line}" for line in lines)


def _lists(settings: Settings, login: Login) -> list[Obstacle]:
    found = []
    denied = next((one for one in settings.get("denyusers", ()) if _user_matches(one, login, unknown=False)), None)
    if denied is not None:
        found.append(Obstacle(f"DenyUsers {denied} shuts {login.user} out", "DenyUsers none", everywhere=False))
    allowed = settings.get("allowusers", ())
    if allowed and not any(_user_matches(one, login, unknown=True) for one in allowed):
        why = f"AllowUsers ({', '.join(allowed)}) does not name {login.user}"
        found.append(Obstacle(why, f"AllowUsers {login.user}", everywhere=True))
    shut = next((one for one in settings.get("denygroups", ()) if _group_matches(one, login)), None)
    if shut is not None:
        found.append(Obstacle(f"DenyGroups {shut} shuts a group of {login.user} out", "DenyGroups none"))
    groups = settings.get("allowgroups", ())
    if groups and not any(_group_matches(one, login) for one in groups):
        why = f"AllowGroups ({', '.join(groups)}) names no group of {login.user}"
        found.append(Obstacle(why, f"AllowGroups {login.groups[0]}", everywhere=True))
    return found


def _switches(settings: Settings, login: Login) -> list[Obstacle]:
    found = []

    def look(keyword: str, wanted: str, ok: bool) -> None:
        said = " ".join(settings.get(keyword.lower(), ()))
        if said and not ok:
            found.append(Obstacle(f"{keyword} is {said}", f"{keyword} {wanted}"))

    def one(keyword: str) -> str:
        return " ".join(settings.get(keyword.lower(), ()))

    if login.user == "root":
        look("PermitRootLogin", "forced-commands-only", one("PermitRootLogin") in _ROOT_BY_KEY)
    methods = one("AuthenticationMethods").split()
    look("AuthenticationMethods", "publickey", not methods or any(way in ("any", "publickey") for way in methods))
    look("PubkeyAuthentication", "yes", one("PubkeyAuthentication") == "yes")
    look("AuthorizedKeysFile", DEFAULT_KEYS, one("AuthorizedKeysFile") not in ("none", ""))
    look("ForceCommand", "none", one("ForceCommand") == "none")
    look("ChrootDirectory", "none", one("ChrootDirectory") == "none")
    look("RefuseConnection", "no", one("RefuseConnection") == "no")
    look("MaxSessions", "10", one("MaxSessions") != "0")
    return found


def _algorithms(settings: Settings, key: str) -> list[Obstacle]:
    kind = key.partition(" ")[0]
    wanted = _SIGNATURES.get(kind, (kind,))
    for keyword, spelled in _ACCEPTED.items():
        if keyword in settings:
            patterns = [one for line in settings[keyword] for one in line.split(",")]
            if not any(fnmatch.fnmatchcase(name, pattern) for name in wanted for pattern in patterns):
                why = f"{spelled} has no {' or '.join(wanted)}, by which the notify key is proved"
                return [Obstacle(why, f"{spelled} +{wanted[0]}")]
    return []


def _user_matches(pattern: str, login: Login, *, unknown: bool) -> bool:
    """Whether a pattern of AllowUsers or DenyUsers fits; ``unknown`` is the answer where the address decides and is not
    known."""
    user, at, places = pattern.rpartition("@")
    if not at:
        return fnmatch.fnmatchcase(login.user, pattern)
    if not fnmatch.fnmatchcase(login.user, user):
        return False
    if not login.address:
        return unknown
    return _place_matches(places.split(","), login)


def _place_matches(patterns: Iterable[str], login: Login) -> bool:
    import ipaddress

    matched = False
    for pattern in patterns:
        plain = pattern.lstrip("!")
        try:
            fits = ipaddress.ip_address(login.address) in ipaddress.ip_network(plain, strict=False)
        except ValueError:
            fits = any(fnmatch.fnmatchcase(name, plain.lower()) for name in (login.address, login.host.lower()))
        if fits and pattern.startswith("!"):
            return False
        matched = matched or fits
    return matched


def _group_matches(pattern: str, login: Login) -> bool:
    return any(fnmatch.fnmatchcase(group, pattern) for group in login.groups)
