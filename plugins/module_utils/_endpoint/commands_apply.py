# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: ``epp-agent apply``, the converge that the Ansible task starts too."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from .._core.document import EndpointDocument
from .._core.faults import InvalidDocument
from . import exits
from .converge import Busy, Converged, converge, remove
from .live_host import LocalHost


def apply(host: LocalHost, options: argparse.Namespace) -> int:
    """Converge and write one JSON result; a refused document is one too (``failed`` and ``msg``)."""
    if options.digest and options.digest != _own_digest():
        return _tell({"stale": True}, exits.STALE)
    try:
        converged = _converged(host, options)
    except InvalidDocument as error:
        return _tell({"failed": True, "changed": False, "msg": str(error)}, exits.BAD_DOCUMENT)
    except (OSError, Busy, LookupError, ValueError) as error:
        return _tell({"failed": True, "changed": False, "msg": str(error) or repr(error)}, exits.FAILED)
    result = converged.to_result()
    if not options.diff:
        del result["diff"]
    return _tell(result, exits.DONE)


def _converged(host: LocalHost, options: argparse.Namespace) -> Converged:
    if options.absent:
        return remove(host, check=options.check)
    try:
        raw = json.loads(sys.stdin.buffer.read())
    except ValueError as error:
        raise ValueError(f"standard input is not JSON: {error}") from error
    return converge(EndpointDocument.from_dict(raw), host, agent=own_file(), check=options.check)


def own_file() -> bytes | None:
    """The file that this agent runs from; None when the library runs from a directory."""
    try:
        with open(sys.path[0], "rb") as file:
            return file.read()
    except OSError:
        return None


def _own_digest() -> str | None:
    """The digest that was put into this agent when it was built for this Python; None for another Python."""
    try:
        from .. import _identity  # type: ignore[attr-defined]  # exists in the built agent only
    except ImportError:
        return None
    return str(_identity.DIGEST) if sys.implementation.cache_tag == _identity.BYTECODE else None


def _tell(result: dict[str, Any], status: int) -> int:
    sys.stdout.write(json.dumps(result) + "\n")
    return status
