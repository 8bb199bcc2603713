# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a directory of the host holds."""

from __future__ import annotations

import os

from ..._host.host import Host


def names_in(host: Host, directory: str) -> list[str]:
    """The names in a directory, sorted; none where there is no directory."""
    try:
        return sorted(os.listdir(host.real(directory)))
    except (FileNotFoundError, NotADirectoryError):
        return []
