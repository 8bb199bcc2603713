# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AppArmor's profile of freshclam, as Debian and Ubuntu ship it, allows what our runs of freshclam open.

No container can enforce it, so the profile is read: each path that a run names must be one that it allows.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav.product import ClamAV
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav.update import command, fitted
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost

PROFILE = Path("/etc/apparmor.d/usr.bin.freshclam")
_RULE = re.compile(r"^  (?:owner )?(/\S+) ([rwklm]+),$", re.MULTILINE)
PIPES = ("/dev/stdin",)
"""What AppArmor does not look at: a pipe that was handed over."""


def allowed(path: str, profile: str) -> bool:
    """Whether a rule of the profile lets this path be read."""
    for pattern, rights in _RULE.findall(profile):
        quoted = re.escape(pattern).replace(r"\*\*", ".+").replace(r"\*", "[^/]+")
        if "r" in rights and re.fullmatch(quoted.rstrip("/") + "/?", path):
            return True
    return False


@pytest.mark.skipif(not PROFILE.exists(), reason="no AppArmor profile of freshclam is installed here")
def test_every_path_of_a_run_is_allowed() -> None:
    profile = PROFILE.read_text(encoding="utf-8")
    document = EndpointDocument.from_dict({"format": 1, "endpoint": "n1", "product": "clamav", "policy": {}})
    product = ClamAV.of(document, LocalHost(""))
    words = [word.partition("=")[2] or word for word in command(dns=True)]
    for config in (product.config(), product.config().asking_nobody()):
        words += fitted(product, config).decode().split()
    paths = {word for word in words if word.startswith("/")}
    assert "/var/lib/clamav" in paths
    assert [path for path in paths if path not in PIPES and not allowed(path, profile)] == []
    assert not allowed("/etc/epp-autoupdate/freshclam.conf", profile), "the rule of this test can fail"
