# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OpenSSH key pairs; only the server's user may read the private key."""

from __future__ import annotations

import os
import stat

from ..._host.host import Host
from ..._host.lock import exclusively
from .. import paths

_KEYGEN_S = 60.0
_UNFINISHED = ".unfinished"
_KINDS = (("ed25519",), ("ecdsa", "-b", "256"))
"""The second is for systems in FIPS mode, which refuse to make the first."""
DIRECTORY_MODE, FILE_MODE = 0o700, 0o600
_PUBLIC = ".pub"


def make_key(host: Host, path: str) -> None:
    """Make a key pair without passphrase, ed25519 or what the system allows instead of it; raises OSError.

    It is made beside its place. The private key comes to it last and whole: where that is, the public one is, too,
    whenever the server was killed or its disk was full (C3).
    """
    made = path + _UNFINISHED
    host.mkdir(os.path.dirname(path), mode=DIRECTORY_MODE)
    private, public = _made(host, made, path)
    host.write(path + _PUBLIC, public)
    host.write(path, private, mode=FILE_MODE)
    _clear(host, made)


def _made(host: Host, made: str, path: str) -> tuple[bytes, bytes]:
    """Both parts of a new key at ``made``, of the first kind that can be made here."""
    told = []
    for kind in _KINDS:
        _clear(host, made)
        argv = ["ssh-keygen", "-q", "-t", *kind, "-N", "", "-C", "epp-update-server", "-f", host.real(made)]
        done = host.run(argv, timeout=_KEYGEN_S)
        private, public = host.read(made), host.read(made + _PUBLIC)
        if done.code == 0 and private and public:
            return private, public
        told.append(f"{kind[0]}: {(done.err or done.out).strip() or f'it {done.ended}'}")
    raise OSError(f"{path}: ssh-keygen made no key: {'; '.join(told)}")


def _clear(host: Host, made: str) -> None:
    for leftover in (made, made + _PUBLIC):
        host.remove(leftover)


def public_part(host: Host, path: str) -> str:
    """The line of the public key that belongs to a private one; raises OSError where its file is missing."""
    public = host.read(path + _PUBLIC)
    if public is None:
        raise OSError(f"{path}.pub is missing; it belongs to {path}")
    return public.decode("ascii", "replace").strip()


def ensure_key(host: Host, path: str) -> str:
    """Make the key pair at ``path`` unless it exists; returns the public key's line. Raises OSError or Busy.

    An enrollment and the first of the server's jobs may want it at the same time.
    """
    if not host.exists(path):
        with exclusively(host, paths.KEY_LOCK, "process that makes a key"):
            if not host.exists(path):
                make_key(host, path)
    return public_part(host, path)


def other_modes(host: Host) -> dict[str, int]:
    """The directory of the keys and the files in it that have another mode than they should, each with its mode.

    Public keys may be read by anybody. Nothing is read, and no link followed.
    """
    status = host.status(paths.KEYS)
    if status is None or not stat.S_ISDIR(status.st_mode):
        return {}
    private = [name for name in host.names(paths.KEYS) if not name.endswith(_PUBLIC)]
    found = {paths.KEYS: (stat.S_IMODE(status.st_mode), DIRECTORY_MODE)}
    for path in (f"{paths.KEYS}/{name}" for name in private):
        one = host.status(path)
        if one is not None and stat.S_ISREG(one.st_mode):
            found[path] = (stat.S_IMODE(one.st_mode), FILE_MODE)
    return {path: mode for path, (mode, wanted) in found.items() if mode != wanted}


def mend_modes(host: Host) -> None:
    """Give the directory and the files their modes back; ssh-keygen signs with no key that others may read.

    Called as the server's user. Raises OSError.
    """
    for path in other_modes(host):
        if path == paths.KEYS:
            host.mkdir(path, mode=DIRECTORY_MODE)
        else:
            host.write(path, host.read(path) or b"", mode=FILE_MODE)
