# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether freshclam and clamd could work on this host, tried without a request to any source."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...._core.policy.policy import Scope
from . import clamd_service, database_directory
from .clamd import Clamd
from .freshclam_output import Cause, parse_output

if TYPE_CHECKING:
    from .product import ClamAV

_FRESHCLAM_S = 30.0
_TICK_S = 0.5


def trial(product: ClamAV, timeout: float) -> tuple[str, ...]:
    """What is wrong, in words, found in at most ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    updater = () if product.scope is Scope.ENGINES else _updater(product)
    return (*updater, *_engine(product, deadline), *_samples(product))


def _samples(product: ClamAV) -> tuple[str, ...]:
    """Samples that are not there decide nothing in a probe, which nobody would notice."""
    wanted = product.probing.find if product.probing.enabled else ()
    return tuple(f"probe.find: there is no file {path}" for path in wanted if not product.host.exists(path))


def _updater(product: ClamAV) -> tuple[str, ...]:
    """freshclam opens its configuration, becomes its user and works in its directory, up to the first request."""
    from .update import command, fitted

    unusable = database_directory.prepare(product.host, product.settings)
    if unusable:
        return (unusable,)
    config = product.config().asking_nobody()
    argv = command(dns=False, only=config.databases[:1])
    try:
        done = product.host.run(argv, timeout=_FRESHCLAM_S, stdin=fitted(product, config))
    except FileNotFoundError:
        return ()
    except OSError as error:
        return (f"freshclam can't be started: {error.strerror}",)
    output = parse_output(done.out + done.err)
    causes = {error.cause for error in output.errors}
    works = Cause.UNREACHABLE in causes or (done.code == 0 and output.cooling_until is not None)
    if works and Cause.LOCAL not in causes:
        return ()
    why = output.worst.why if output.worst and not done.cut else f"it {done.ended}"
    return (f"freshclam does not work here: {why}",)


def _engine(product: ClamAV, deadline: float) -> tuple[str, ...]:
    """clamd answers and scans, where it is to run and does; one that has just started reads its databases first."""
    clamd = Clamd.configured(product.host.read(product.settings.clamd_config))
    if clamd is None or not clamd_service.enabled(product.host):
        return ()
    while not clamd.answers():
        if not clamd_service.runs(product.host):
            return ()  # which is told by a look
        if time.monotonic() >= deadline:
            return (f"clamd runs and does not answer where {product.settings.clamd_config} says",)
        time.sleep(_TICK_S)
    return () if clamd.scans() else ("clamd answers and does not scan",)
