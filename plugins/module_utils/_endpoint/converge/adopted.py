# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring the host to what was adopted: timers and privileges follow the policy without Ansible (C1)."""

from __future__ import annotations

import syslog

from ..._core.values import replace
from ..endpoint import Endpoint, NotEnrolled
from ..installed import installed_document
from ..jobs import CONFIGURE
from ..status.status import save_and_publish
from .converge import Busy, converge
from .result import Converged


def converge_adopted(endpoint: Endpoint) -> Converged:
    """Converge this host to its document and what was adopted; raises OSError or Busy. The agent itself stays.

    To be called where the host may be written: the hardened units hand over to one that is not shut in.
    """
    host, adopted = endpoint.host, endpoint.adopted
    document = installed_document(host)
    if document is None:
        raise NotEnrolled("this host is not enrolled")
    done = converge(document, host, agent=None, check=False)
    if adopted is not None:
        save_and_publish(endpoint, lambda state: replace(state, carried_out=adopted.identity))
    if done.changed:
        words = ", ".join([*(change.path for change in done.changes), *done.corrections])
        host.log(syslog.LOG_INFO, f"converged to the configuration that was adopted: {words}")
    return done


def request_converge(endpoint: Endpoint) -> None:
    """Let the host's scheduler start ``converge_adopted``, unless that was done already; a failure is logged."""
    adopted = endpoint.adopted
    if adopted is None or endpoint.store.read().carried_out == adopted.identity:
        return
    try:
        if not endpoint.scheduler.start(CONFIGURE):
            converge_adopted(endpoint)
    except (OSError, Busy) as error:
        endpoint.host.log(syslog.LOG_ERR, f"the adopted configuration could not be carried out: {error}")
