# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit on disk: one line a decision, under a lock, and whole again after any kill (G8, C3).

A file that is full is renamed first. The head, which is signed and holds the new line, is replaced then, and the line
appended at last. Where the end of the log is not the one that was signed, nothing is signed over it: its file is put
aside, and a new one begins with that.
"""

from __future__ import annotations

import os
import syslog

from ..._core.audit.chain import MAX_HEAD, NAMESPACE, WHOLE, Head, Prefix, is_unfinished, split
from ..._core.audit.entry import AuditKind, Note, Unreadable, digest_of, entry_of
from ..._core.canonical import sha256_hex
from ..._core.metadata.envelope import Malformed, TooLarge, pack, unpack
from ..._core.values import replace
from ..._host.host import Host
from ..._host.lock import exclusively
from ..._host.ssh_signatures import BadSignature, sign, verify
from .. import paths
from ..publication.keys import ensure_keyring, path_of, read_keyring
from .files import end_of_full, full_files, read_all, read_growing, rotate
from .who import who

_MODE = 0o600


class BadHead(ValueError):
    """The head is not one that this server has signed; the message says why."""


def record(host: Host, note: Note) -> int:
    """Write a decision down; returns its sequence number. Raises OSError or Busy, and then nothing may be done.

    Who asked is found out where the note does not say.
    """
    host.mkdir(paths.AUDIT, mode=0o700)
    told = note if note.by else replace(note, by=who())
    with exclusively(host, paths.AUDIT_LOCK, "entry of the audit"):
        end = _mended(host)
        rotate(host, end_of_full(host))
        sequence = _append(host, end, told)
    host.log(syslog.LOG_INFO, f"audit: entry {sequence}, {told.kind.value}")
    return sequence


def read_log(host: Host) -> bytes:
    """The whole log as it lies there, all files of it."""
    return b"".join(read_all(host).values())


def read_head(host: Host) -> Head | None:
    """The head, if one of the server's own keys has signed it; None where there is none. Raises BadHead."""
    content = host.read(paths.AUDIT_HEAD)
    if content is None:
        return None
    ring = read_keyring(host)
    try:
        envelope = unpack(content, limit=MAX_HEAD)
        if envelope.namespace != NAMESPACE:
            raise BadHead("the head was signed for another purpose")
        verify(host, envelope.document, envelope.signature, ring.signers if ring else (), NAMESPACE)
        return Head.from_bytes(envelope.document)
    except (Malformed, TooLarge, BadSignature, Unreadable) as error:
        raise BadHead(f"the head is not one that this server has signed: {error}") from error


def _append(host: Host, end: Prefix, note: Note) -> int:
    """Seal the line of a note behind what the log ends with, and append it."""
    sequence = end.count + 1
    line = entry_of(note, sequence=sequence, now=host.now(), previous=end.digest).to_line()
    _seal(host, Head(line))
    _write_line(host, line)
    return sequence


def _mended(host: Host) -> Prefix:
    """What the log ends with, after what a kill left was finished."""
    content = read_growing(host)
    try:
        before, head = end_of_full(host), read_head(host)
        if head is None and not content and before == WHOLE:
            return WHOLE
        why = "" if head is not None else "the signed head is missing"
        if head is not None:
            lines, rest = split(content)
            end = Prefix(before.count + len(lines), digest_of(lines[-1])) if lines else before
            signed = Prefix(head.entry.sequence, head.digest)
            if not rest and end == signed:
                return signed
            if is_unfinished(content, head, before):
                _cut(host, len(content) - len(rest))
                _write_line(host, head.line)
                return signed
            why = "its end is not the one that was signed"
    except (BadHead, Unreadable) as error:
        why = str(error)
    return _begin_anew(host, why)


def _begin_anew(host: Host, why: str) -> Prefix:
    """Put aside the file whose end is not as it was signed, and begin one that says so behind the files before."""
    path = paths.AUDIT_LOG if host.exists(paths.AUDIT_LOG) else [paths.AUDIT_LOG, *full_files(host)][-1]
    content = host.read(path) or b""
    lines = split(content)[0]
    aside = f"{path}.damaged-{int(host.now())}"
    host.log(syslog.LOG_ALERT, f"audit: {why}; the log before is kept as {aside}")
    for one, target in ((path, aside), (paths.AUDIT_HEAD, f"{aside}.head")):
        kept = host.read(one)
        if kept is not None:
            host.write(target, kept, mode=_MODE)
            host.remove(one)
    try:
        before = end_of_full(host)
    except Unreadable as error:
        return _begin_anew(host, str(error))
    evidence = {"file": aside, "lines": len(lines), "sha256": sha256_hex(content)}
    if lines:
        evidence["last_line_sha256"] = digest_of(lines[-1])
    _append(host, before, Note(AuditKind.DAMAGED, reason=why, evidence=evidence, by=who()))
    head = read_head(host)
    if head is None:
        raise OSError(f"{paths.AUDIT_HEAD} could not be written")
    return Prefix(head.entry.sequence, head.digest)


def _seal(host: Host, head: Head) -> None:
    document = head.to_bytes()
    signature = sign(host, document, path_of(ensure_keyring(host).current), NAMESPACE)
    host.write(paths.AUDIT_HEAD, pack(document, signature, NAMESPACE), mode=_MODE)


def _write_line(host: Host, line: bytes) -> None:
    """Append a line durably."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(host.real(paths.AUDIT_LOG), flags, _MODE)
    try:
        left = memoryview(line + b"\n")
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _cut(host: Host, length: int) -> None:
    """Take away the part of a line that was cut off."""
    path = host.real(paths.AUDIT_LOG)
    if os.path.exists(path):
        os.truncate(path, length)
