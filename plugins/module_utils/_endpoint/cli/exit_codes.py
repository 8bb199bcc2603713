# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which exit status of ``epp-agent`` a result and an error have."""

from __future__ import annotations

from ..._core.exit_codes import BAD_DOCUMENT, DENIED, DONE, FAILED, STALE, UNREACHABLE, USAGE
from ..._core.results import Result
from ..._core.validation.errors import InvalidDocument
from ..._host.output import complain

__all__ = ("BAD_DOCUMENT", "DENIED", "DONE", "FAILED", "STALE", "UNREACHABLE", "USAGE", "explain", "of_result")

_OF_RESULT = {Result.FAILED: FAILED, Result.UNREACHABLE: UNREACHABLE}


def of_result(result: Result) -> int:
    return _OF_RESULT.get(result, DONE)


def explain(error: Exception) -> int:
    """Tell an error on standard error; returns its exit status."""
    complain("epp-agent", error)
    if isinstance(error, InvalidDocument):
        return BAD_DOCUMENT
    from ..runner.user_actions import Denied  # which half of the agent comes with: only where something failed

    return DENIED if isinstance(error, Denied) else FAILED
