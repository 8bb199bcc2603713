# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Words that stand in unit files for nothing but themselves."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host.systemd.quoting import (
    argument,
    optional_paths,
    path_word,
)


def test_paths_lose_every_special_meaning() -> None:
    assert optional_paths(["/srv/100%", "/opt/a b", "/opt/a b"]) == '"-/opt/a b" "-/srv/100%%"'
    assert path_word('/opt/a "b"\\') == '"/opt/a \\"b\\"\\\\"'
    assert argument("/srv/$HOME/100%") == '"/srv/$$HOME/100%%"'
    for word in (path_word, argument):
        with pytest.raises(ValueError, match="breaks the line"):
            word("/opt/a\nExecStart=/bin/sh")
