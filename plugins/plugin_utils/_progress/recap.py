# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a run in numbers, with the hosts that somebody has to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from ansible_collections.epp.autoupdate.plugins.module_utils._core.untrusted_text import LONGEST_WORD, shown

_CLASSES = (("failures", "failed"), ("unreachable", "unreachable"), ("changed", "changed"))
_BAD = ("failed", "unreachable")
_SIDE = ("rescued", "ignored")


def recap(summaries: Mapping[str, Mapping[str, int]], reasons: Mapping[str, str]) -> Iterator[str]:
    """The counts of hosts, each in one class, the worst first; then those that failed or were not reached, by name.

    ``summaries`` has Ansible's counts of each host, ``reasons`` why a host failed in one sentence.
    """
    classes = {host: _class(summary) for host, summary in summaries.items()}
    counts = Counter(classes.values())
    told = [f"{counts[word]} {word}" for word in (*_BAD, "changed", "ok") if counts[word]]
    told += [f"{number} with {word} failures" for word in _SIDE if (number := _with(word, summaries))]
    yield f"{len(classes)} host{'' if len(classes) == 1 else 's'}: {', '.join(told) or 'nothing was done'}"
    for word in _BAD:
        for host in sorted(host for host, found in classes.items() if found == word):
            reason = reasons.get(host, "")
            yield f"  {word}: {shown(host, LONGEST_WORD)}{': ' if reason else ''}{shown(reason)}"


def _class(summary: Mapping[str, int]) -> str:
    return next((word for key, word in _CLASSES if summary.get(key)), "ok")


def _with(word: str, summaries: Mapping[str, Mapping[str, int]]) -> int:
    return sum(bool(summary.get(word)) for summary in summaries.values())
