# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One line of ours in an ``authorized_keys`` that belongs to somebody else (N5)."""

from __future__ import annotations

from ..validation.public_keys import public_key

_COMMENT = "epp-update-server"
_ENTRY = "epp-agent notice"


def authorized_line(key: str, *, command: str) -> str:
    """The line of ``authorized_keys`` by which a server's key can do one thing only (N5); raises ValueError.

    ``restrict`` takes away forwarding, agent, X11, terminal and rc file, also those that future versions may invent;
    ``command`` replaces whatever the client asks for: a shell, another command, sftp.
    """
    plain = public_key(key)
    if plain is None:
        raise ValueError("not a public key of OpenSSH")
    if '"' in command or "\\" in command or not command.isprintable():
        raise ValueError(f"not a command for authorized_keys: {command!r}")
    return f'restrict,command="{command}" {plain} {_COMMENT}'


def with_line(content: bytes, line: str | None) -> bytes:
    """The file with this line, where ours is or at the end; with None without it. Every other line stays as it is.

    Ours is each line that bears our comment or our command, or the very key: a second line with the same key and fewer
    restrictions would be the one that counts.
    """
    key = None if line is None else _key(line.encode())
    kept: list[bytes] = []
    placed = line is None
    for other in content.splitlines(keepends=True):
        if not _is_ours(other, key):
            kept.append(other)
        elif not placed and line is not None:
            kept.append(line.encode() + b"\n")
            placed = True
    if not placed and line is not None:
        kept[-1:] = [_ended(last) for last in kept[-1:]]
        kept.append(line.encode() + b"\n")
    return b"".join(kept)


def _is_ours(line: bytes, key: str | None) -> bool:
    words = line.split()
    if not words or words[0].startswith(b"#"):
        return False
    marked = words[-1] == _COMMENT.encode() or _ENTRY.encode() in line
    return marked or (key is not None and key.encode() in b" ".join(words))


def _ended(line: bytes) -> bytes:
    return line if line.endswith(b"\n") else line + b"\n"


def _key(line: bytes) -> str | None:
    """The key in a line that ``authorized_line`` made, which are its last words but the comment."""
    return public_key(" ".join(line.decode().split()[-3:-1]))
