# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The signing keys on disk: the ring of what each is good for, and the private key of each beside it.

The ring is one file that is replaced as a whole, so whatever kills the server, one key signs. A key is written before
the ring names it, and removed after the ring has dropped it; what the ring does not name is a leftover.
"""

from __future__ import annotations

import json
import os
import re
import syslog
from collections.abc import Collection

from ..._core.canonical import readable_json
from ..._core.metadata.keyring import Keyring, KeyStage, SigningKey
from ..._core.validation.errors import InvalidDocument
from ..._core.validation.public_keys import public_key
from ..._host.host import Host
from .. import paths
from .key_files import make_key, public_part

_PREFIX = "signing-"
_NAME = re.compile(rf"{_PREFIX}([0-9]{{1,9}})")


def read_keyring(host: Host) -> Keyring | None:
    """The ring, None before there is one. Raises OSError where its file can't be understood: that is never guessed."""
    content = host.read(paths.KEYRING)
    if content is None:
        return None
    try:
        return Keyring.from_dict(json.loads(content))
    except (ValueError, RecursionError, InvalidDocument) as error:
        raise OSError(f"{paths.KEYRING} can't be understood ({error}); restore it from a backup") from error


def ensure_keyring(host: Host) -> Keyring:
    """The keyring, created with its first key where it is missing. Called under the publication lock."""
    ring = read_keyring(host)
    return ring if ring is not None else _first(host)


def rotate_due(host: Host, *, overlap: int, in_use: Collection[str]) -> Keyring:
    """The ring after what follows from the time alone, on record; see ``Keyring.rotate_due``."""
    ring = ensure_keyring(host)
    after = ring.rotate_due(int(host.now()), overlap, in_use)
    if after != ring:
        _record(host, after)
        host.log(syslog.LOG_NOTICE, f"keys: {after.current.name} signs, {len(after.signers)} are trusted")
    _remove_leftovers(host, after)
    return after


def rotate(host: Host) -> Keyring:
    """One step by hand: announce the next key, or let the announced one follow now."""
    ring, now = ensure_keyring(host), int(host.now())
    if ring.next is not None:
        after = ring.promote(now)
    else:
        _remove_leftovers(host, ring)
        name = f"{_PREFIX}{1 + max(_number(key.name) for key in ring.keys)}"
        after = ring.with_next(name, _made(host, name), now)
    _record(host, after)
    words = "is announced" if after.next is not None else "signs from now on"
    host.log(syslog.LOG_NOTICE, f"keys: {(after.next or after.current).name} {words}")
    return after


def path_of(key: SigningKey) -> str:
    """Where the private key lies."""
    return f"{paths.KEYS}/{key.name}"


def _first(host: Host) -> Keyring:
    """The first key; one that lies there already belongs to a server that was killed here, or lost its ring."""
    names = [name for name in _key_files(host) if host.exists(f"{paths.KEYS}/{name}.pub")]
    name = max(names, key=_number, default="")
    public = _public(host, name) if name else _made(host, f"{_PREFIX}1")
    ring = Keyring((SigningKey(name or f"{_PREFIX}1", public, KeyStage.CURRENT, int(host.now())),))
    _record(host, ring)
    return ring


def _made(host: Host, name: str) -> str:
    """Make a key under a name that the ring does not have yet; returns its public part."""
    path = f"{paths.KEYS}/{name}"
    host.remove(path)
    host.remove(path + ".pub")
    make_key(host, path)
    return _public(host, name)


def _public(host: Host, name: str) -> str:
    line = public_key(public_part(host, f"{paths.KEYS}/{name}"))
    if line is None:
        raise OSError(f"{paths.KEYS}/{name}.pub is no public key")
    return line


def _record(host: Host, ring: Keyring) -> None:
    host.write(paths.KEYRING, readable_json(ring.to_dict()), mode=0o600)


def _remove_leftovers(host: Host, ring: Keyring) -> None:
    named = {key.name for key in ring.keys}
    for name in _key_files(host):
        if name not in named:
            host.remove(f"{paths.KEYS}/{name}")
            host.remove(f"{paths.KEYS}/{name}.pub")


def _key_files(host: Host) -> list[str]:
    try:
        names = sorted(os.listdir(host.real(paths.KEYS)))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [name for name in names if _NAME.fullmatch(name)]


def _number(name: str) -> int:
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else 0
