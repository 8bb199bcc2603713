# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pin by which no other run of apt carries an engine past its ring (G1): a file of apt_preferences(5).

It prefers the installed version to all others, so ``apt-get upgrade``, unattended-upgrades and whatever else goes by
candidates leave the engine as it is. ``apt-get install NAME=VERSION`` is still what somebody has decided. Our own runs
read all pins but this one.
"""

from __future__ import annotations

import posixpath
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..._core.resources.resources import File
from ..._host.host import Host
from ..paths import APT_PIN

_DIRECTORY, _NAME = posixpath.split(APT_PIN)
_TEXT = """\
Explanation: The versions of these packages go through the rings of an update server of epp.autoupdate: they are
Explanation: upgraded by "epp-agent engine" alone. The file is made by a converge, and removed by one.
Package: src:{source}
Pin: release a=now
Pin-Priority: 999
"""


def entry(source: str) -> File:
    """The file for the packages that are built from this source package."""
    return File(APT_PIN, _TEXT.format(source=source).encode(), 0o644)


@contextmanager
def all_but_ours(host: Host) -> Iterator[tuple[str, ...]]:
    """The options of apt-get by which it reads the administrator's pins alone; none where ours is not there."""
    if not host.exists(APT_PIN):
        yield ()
        return
    with tempfile.TemporaryDirectory(prefix="epp-autoupdate-") as place:
        for name in host.names(_DIRECTORY):
            content = None if name == _NAME else host.read(f"{_DIRECTORY}/{name}")
            if content is not None:
                (Path(place) / name).write_bytes(content)
        yield (f"Dir::Etc::PreferencesParts={place}/",)
