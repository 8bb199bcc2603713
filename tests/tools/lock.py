# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock file of cvdupdate: exact versions and hashes of wheels, for each Python that an update server may have."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from .workbench import Workbench

WANTED = "tests/requirements/cvdupdate.in"
LOCK = "roles/server/files/cvdupdate.txt"
KNOWN_IN = "plugins/module_utils/_server/converge/requirements.py"
_OLDEST = "3.9"
_HEAD = """\
# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# cvdupdate and all that it needs, by version and hash; made by `make lock`, not to be edited.
"""
_DIGEST = re.compile(r'(?<=^CVDUPDATE_LOCK = ")[0-9a-f]{64}', re.MULTILINE)


def renew(bench: Workbench) -> str:
    """Resolve the lock file anew and let the library know its digest; returns the version of cvdupdate."""
    tools = bench.tools("lock")
    made = bench.cache / "cvdupdate.txt"
    made.unlink(missing_ok=True)  # what was locked before is no wish
    options = ["--universal", "--python-version", _OLDEST, "--generate-hashes", "--only-binary", ":all:"]
    plain = ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--no-python-downloads"]
    argv: list[str | Path] = [
        tools / "uv",
        "pip",
        "compile",
        "--quiet",
        *options,
        *plain,
        "--output-file",
        made,
        WANTED,
    ]
    bench.run(argv, env=bench.variables(tools), quiet=True)
    lock, library = bench.root / LOCK, bench.root / KNOWN_IN
    lock.write_text(_HEAD + made.read_text(encoding="utf-8"), encoding="utf-8")
    text = library.read_text(encoding="utf-8")
    library.write_text(_DIGEST.sub(digest(lock), text), encoding="utf-8")
    (version,) = re.findall(r"^cvdupdate==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return str(version)


def digest(lock: Path) -> str:
    """What the library knows a lock file by."""
    return hashlib.sha256(lock.read_bytes()).hexdigest()
