# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scripts that are run every so often, and the jobs of at(1), that start an updater."""

from __future__ import annotations

import os
import stat

from ..._core.system_files.command_lines import Starts
from ..._core.system_files.cron_tables import disarmed, script_without_updaters
from ..._core.system_files.shell_words import Word
from ..._host.cron.files import JOB_TEXT, at_jobs, periodic_scripts
from .base import Found
from .files import MORE, changed, decided, without_link
from .look import Look
from .notes import EDITED, was_mode


def found_in_scripts(look: Look) -> Found:
    """What periodic scripts and jobs would start."""
    found = Found()
    for path in periodic_scripts(look.host):
        status = look.host.status(path)
        if status is not None and stat.S_ISLNK(status.st_mode):
            found = found.with_more(_through_link(look, path))
        elif status is not None and status.st_mode & 0o111:
            found = found.with_more(_in_script(look, path, status))
    for path in at_jobs(look.host):
        found = found.with_more(_in_job(look, path))
    return found


def _through_link(look: Look, path: str) -> Found:
    target = os.path.normpath(os.path.join(os.path.dirname(path), look.host.target(path) or ""))
    starts = look.reading.words((Word(target),))
    if starts is Starts.BOTH:
        return Found(told=(look.words(path, MORE),))
    return decided(look, path, without_link(look, path), path) if starts is Starts.UPDATER else Found()


def _in_script(look: Look, path: str, status: os.stat_result) -> Found:
    text = look.shell_script(path)
    starts = Starts.NOTHING if text is None else look.reading.shell(text)
    if text is None or not starts.updater:
        return Found()
    mode = stat.S_IMODE(status.st_mode)
    if starts is Starts.UPDATER:
        return decided(look, path, Found((changed(path, text, status, mode & ~0o111),), {path: was_mode(mode)}), path)
    return _edited(look, path, script_without_updaters(text, look.reading), text, status)


def _in_job(look: Look, path: str) -> Found:
    """A job that only updates runs all the same, once, and does nothing."""
    text, status = look.text(path), look.host.status(path)
    if text is None or status is None or not stat.S_ISREG(status.st_mode):
        return Found()
    found = JOB_TEXT.search(text)
    start, body = (0, text) if found is None else (found.start(2), found[2])
    if not look.reading.shell(body).updater:
        return Found()
    without = text[:start] + disarmed(body, look.reading.places(body)) + text[start + len(body) :]
    return _edited(look, path, without, text, status)


def _edited(look: Look, path: str, without: str, text: str, status: os.stat_result) -> Found:
    if without == text:
        return Found(told=(look.words(path, MORE),))
    return decided(look, path, Found((changed(path, without, status),), {path: EDITED}), path)
