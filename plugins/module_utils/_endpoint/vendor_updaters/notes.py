# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Notes: how each thing that starts a vendor updater was before it was disabled, so that it can be restored.

A note is kept in the endpoint's state under the path, or the unit, that it describes.
"""

from __future__ import annotations

from ..._host.host import Host

MADE = "made"
"""The path is ours and goes."""
EDITED = "edited"
"""What is switched off in the file tells so itself."""
RUNNING = "running"
"""The unit, or the init script, ran and was stopped."""
LINK, MODE = "link ", "mode "
"""What the note of a removed link, and of a file that was executable, begins with."""


def linked(target: str) -> str:
    """The note of a link that was removed."""
    return LINK + target


def was_mode(mode: int) -> str:
    """The note of a file that was executable."""
    return f"{MODE}{mode:04o}"


def whole_folder(host: Host, path: str) -> str:
    """The directory of a drop-in that is alone in it, otherwise the path itself."""
    folder, _slash, name = path.rpartition("/")
    alone = folder.startswith("/etc/systemd/") and host.names(folder) == (name,)
    return folder if alone else path
