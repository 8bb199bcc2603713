# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The agent's archive, made on the control node once in a run, for the hosts whose Python is of the same version.

Only a Python of that version can compile it, and to make it is a fifth of what a first converge costs a host. Each
worker process asks, and the first one makes it; the others find the file in the run's own directory, which goes with
the run.
"""

from __future__ import annotations

import fcntl
import os
import posixpath
import sys
from collections.abc import Mapping

from ansible import constants
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.payload import packed

_OWN = f"python{sys.version_info.major}.{sys.version_info.minor}"


def archive_for(python: str, files: Mapping[str, bytes], digest: str) -> bytes:
    """What ``sources.packed`` takes as the archive of ``files``; empty for a Python of another version.

    ``python`` is the file of the host's Python (``/usr/bin/python3.13``), or anything else where it is not known;
    ``digest`` is that of the files, as a run might bring more than one set of them.
    """
    if posixpath.basename(python) != _OWN:
        return b""
    path = os.path.join(constants.DEFAULT_LOCAL_TMP, f"epp-autoupdate-{digest}")
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as kept:
        fcntl.flock(kept, fcntl.LOCK_EX)
        archive = kept.read()
        if not archive:
            archive = packed(files)
            kept.write(archive)
    return archive
