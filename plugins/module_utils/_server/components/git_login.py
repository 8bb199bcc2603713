# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The user and password of a repository's URL, which git gets by a file and not on its command line.

Every user of a host can read the command lines of what runs there.
"""

from __future__ import annotations

import re
import shlex

from ..._core.values import frozen

_LOGIN = re.compile(r"(https?://)([^/@:]+:[^/@]+)@([^/@?#]+)(.*)", re.DOTALL)


@frozen
class GitLogin:
    """A repository's ``url`` without what is for the file of credentials, and that file's ``content``.

    The content is empty where the URL has no password.
    """

    url: str
    content: str = ""

    @classmethod
    def of(cls, url: str) -> GitLogin:
        match = _LOGIN.fullmatch(url)
        if match is None:
            return cls(url)
        scheme, login, host, rest = match.groups()
        return cls(f"{scheme}{host}{rest}", f"{scheme}{login}@{host}\n")

    def settings(self, path: str) -> str:
        """The part of git's configuration by which it finds the credentials at a real path."""
        if not self.content:
            return ""
        helper = f"store --file={shlex.quote(path)}".replace("\\", "\\\\").replace('"', '\\"')
        return f'[credential]\n\thelper = "{helper}"\n'
