# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In which words an endpoint tells what became of its asking for the configuration (C1, C2)."""

from __future__ import annotations

from enum import Enum


class SyncResult(str, Enum):
    """How it ended. All but the first two leave in force what was adopted before."""

    ADOPTED = "adopted"
    UNCHANGED = "unchanged"
    UNREACHABLE = "unreachable"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_KEY = "unknown_key"
    ROLLBACK = "rollback"
    EXPIRED = "expired"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    NOT_REGISTERED = "not_registered"
    INVALID_POLICY = "invalid_policy"
    FAILED = "failed"
    """This host could not do its part: its disk is full, ssh-keygen is missing."""


REFUSALS = frozenset(
    result.value
    for result in SyncResult
    if result
    not in (
        SyncResult.ADOPTED,
        SyncResult.UNCHANGED,
        SyncResult.UNREACHABLE,
        SyncResult.FAILED,
    )
)
"""What is published is not taken, and what was adopted before stays in force (C2)."""


class ConfigurationRejected(ValueError):
    """What the update server publishes is not taken, or does not come; the text is one sentence."""

    def __init__(self, result: SyncResult, why: str) -> None:
        super().__init__(f"{result.value}: {why}")
        self.result = result
        self.why = why
