# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a report, each of which is replaced whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from ansible_collections.epp.autoupdate.plugins.plugin_utils._check_report.junit import junit
from ansible_collections.epp.autoupdate.plugins.plugin_utils._check_report.markdown import markdown
from ansible_collections.epp.autoupdate.plugins.plugin_utils._check_report.report import Report


def write(directory: Path, report: Report) -> None:
    """Write ``check.md``, ``check.xml`` and then ``check.json``, which decides. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    xml = f'<?xml version="1.0" encoding="UTF-8"?>\n{junit(report)}'
    plain = json.dumps(report.to_dict(), indent=2, ensure_ascii=False) + "\n"
    for name, text in (("check.md", markdown(report)), ("check.xml", xml), ("check.json", plain)):
        _replace(directory / name, text.encode())


def _replace(path: Path, content: bytes) -> None:
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
