# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file of somebody else's without the updater, and whether that is ours to decide."""

from __future__ import annotations

import os
import stat

from ..._core.resources.resources import Absent, File
from ..._host.cron.files import SHARED
from .base import Found
from .look import Look
from .notes import linked

MORE = "it does other things, too, so take the updater out of it yourself"


def decided(look: Look, path: str, found: Found, *places: str) -> Found:
    """What is found in a file goes where a package brought that, and else with a take-over.

    ``places`` are where in it the updater is started, in words.
    """
    if path not in SHARED and look.packaged(path):
        return found
    return found.of_administrators(tuple(map(look.words, places)), takeover=look.takeover)


def without_link(look: Look, path: str) -> Found:
    """A link leads to what others may use, so it goes, and what it leads to stays as it is."""
    target = look.host.target(path)
    return Found() if target is None else Found((Absent(path),), {path: linked(target)})


def changed(path: str, text: str, status: os.stat_result, mode: int | None = None) -> File:
    """The file with its owner, and with its mode unless it gets another; a private one is not shown."""
    mode = stat.S_IMODE(status.st_mode) if mode is None else mode
    owner = f"{status.st_uid}:{status.st_gid}"
    return File(path, text.encode("latin-1"), mode=mode, owner=owner, secret=not status.st_mode & 0o077)
