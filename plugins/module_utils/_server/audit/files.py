# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of the audit, which are one chain: those that are full, and the one that grows.

::

    audit-000000000001.jsonl    full; named by the number of its first entry, and never written to again
    audit-000000031415.jsonl
    audit.jsonl                 grows; the first entry is missing after a kill between the end of one file and the next

A full file is renamed before the next entry is written. So an entry costs what the last file takes, and a full one can
be copied away once and for all.
"""

from __future__ import annotations

import os
import re

from ..._core.audit.chain import WHOLE, Prefix, split
from ..._core.audit.entry import MAX_LINE, AuditEntry, digest_of
from ..._host.filesystem.safe_paths import open_directory
from ..._host.host import Host
from .. import paths

LARGEST = 8 << 20
"""Bytes from which on a file is full; some fifteen thousand entries."""
GROWING = paths.AUDIT_LOG.rpartition("/")[2]
_FULL = re.compile(r"audit-[0-9]{12}\.jsonl")


def full_files(host: Host) -> list[str]:
    """The paths of the full files, the oldest first."""
    return [f"{paths.AUDIT}/{name}" for name in host.names(paths.AUDIT) if _FULL.fullmatch(name)]


def read_growing(host: Host) -> bytes:
    """The file that grows."""
    return host.read(paths.AUDIT_LOG) or b""


def read_all(host: Host, *, after: int = 0) -> dict[str, bytes]:
    """The content of each file by its name, in the order of the chain, but for the first ``after`` ones."""
    found = {path.rpartition("/")[2]: host.read(path) or b"" for path in full_files(host)[after:]}
    return {**found, GROWING: read_growing(host)}


def end_of_full(host: Host) -> Prefix:
    """What the full files end with, without a look at what lies before; raises Unreadable or OSError."""
    full = full_files(host)
    if not full:
        return WHOLE
    with open(host.real(full[-1]), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - MAX_LINE - 2))
        lines, rest = split(file.read())
    last = lines[-1] if lines and not rest else b""
    return Prefix(AuditEntry.from_line(last).sequence, digest_of(last))


def rotate(host: Host, before: Prefix) -> None:
    """Let the growing file be a full one where it is large; to be called under the lock, while it is whole.

    ``before`` is what the full ones end with. Raises OSError.
    """
    state = host.status(paths.AUDIT_LOG)
    target = f"audit-{before.count + 1:012}.jsonl"
    if state is None or state.st_size < LARGEST or host.exists(f"{paths.AUDIT}/{target}"):
        return
    with open_directory(host.real(paths.AUDIT)) as directory:
        directory.rename(GROWING, directory, target)
        directory.sync()
