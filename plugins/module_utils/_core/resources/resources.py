# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host's file system should hold, as values.

An entry is one path that this project owns. Paths are absolute and never contain the root prefix. ``owner`` is a user
name, whose group the file gets as well, or ``user:group``; root's without one. In a directory that stands for a host
everything belongs to who made it.
"""

from __future__ import annotations

from typing import Union

from ..values import field, frozen


@frozen
class File:
    """A regular file with exactly this content (bytes) and mode (permission bits).

    ``secret`` keeps the content out of every diff and log.
    """

    path: str
    content: bytes = field(repr=False)
    mode: int = 0o644
    secret: bool = False
    owner: str | None = None


@frozen
class Link:
    """A symbolic link that holds exactly this target."""

    path: str
    target: str


@frozen
class Directory:
    """A directory with this mode; what lies in it is not this entry's business."""

    path: str
    mode: int = 0o755
    owner: str | None = None


@frozen
class Absent:
    """A path that must not exist (a directory goes with all it holds).

    ``secret`` keeps what was there out of every diff and log, as the mode of a file that its owner alone may read does.
    """

    path: str
    secret: bool = False


Resource = Union[File, Link, Directory, Absent]
