# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``epp-agent apply``, the converge that the Ansible task starts too."""

from __future__ import annotations

import argparse
import json
import sys
import syslog
from typing import Any

from ..._core.settings.endpoint import EndpointDocument
from ..._core.settings.managed import refuse_tree_keys
from ..._core.validation.errors import InvalidDocument, ValidationErrors
from ..._host.identity import own_digest, own_file
from ..._host.local_host import LocalHost
from ..._host.output import write_document
from ..._host.program.checksum import has_valid_checksum
from ..._host.superuser import require_root
from ..converge import selftest
from ..converge.converge import Busy, converge
from ..converge.fast_path import RECORD
from ..converge.recording_host import RecordingHost
from ..converge.remove import remove
from ..converge.result import Converged
from ..endpoint import Endpoint
from ..state.store import StateStore
from . import exit_codes
from .reporting import report_converge


def apply(host: LocalHost, options: argparse.Namespace) -> int:
    """Converge and write one JSON result; a refused document is one too (``failed`` and ``msg``)."""
    if options.digest and (
        options.digest != own_digest() or not has_valid_checksum(own_file() or b"") or _was_faulty(host)
    ):
        return _tell({"stale": True}, exit_codes.STALE)
    try:
        result = _result(RecordingHost(host.root), options)
    except InvalidDocument as error:
        return _tell({"failed": True, "changed": False, "msg": str(error)}, exit_codes.BAD_DOCUMENT)
    except (OSError, Busy, LookupError, ValueError) as error:
        return _tell({"failed": True, "changed": False, "msg": str(error) or repr(error)}, exit_codes.FAILED)
    if not options.diff:
        del result["diff"]
    return _tell(result, exit_codes.DONE)


def _result(host: RecordingHost, options: argparse.Namespace) -> dict[str, Any]:
    require_root(host, "a converge of the endpoint")
    if options.absent:
        return remove(host, check=options.check).to_result()
    given = sys.stdin.buffer.read() if options.given is None else options.given
    try:
        raw = json.loads(given)
    except ValueError as error:
        raise ValueError(f"standard input is not JSON: {error}") from error
    agent = own_file() if options.agent is None else options.agent(host)
    converged = converge(_document(raw), host, agent=agent, check=options.check)
    if converged.changed and host.live and not options.check:
        report_converge(Endpoint.load(LocalHost(host.root)))
    # A refusal is asked for anew each time, and what does not work is tried anew.
    quiet = not (converged.changed or converged.refusal or converged.errors)
    if options.digest and not options.check and quiet:
        _save_fingerprint(host, given, options.digest, converged)
    return converged.to_result()


def _was_faulty(host: LocalHost) -> bool:
    """Whether the last self-test found an error, which may be its Python: whoever brings agents chooses one anew."""
    return bool(selftest.recorded(host, StateStore(host).read()))


def _document(raw: object) -> EndpointDocument:
    """The document that was given; raises InvalidDocument."""
    if isinstance(raw, dict):
        errors = ValidationErrors()
        refuse_tree_keys(raw, errors)
        errors.check()
    return EndpointDocument.from_dict(raw)


def _save_fingerprint(host: RecordingHost, document: bytes, digest: str, converged: Converged) -> None:
    try:
        host.save_fingerprint(document=document, digest=digest, result=converged.to_result(), until=converged.until)
    except OSError as error:  # only the next converge's fast path is lost
        host.log(syslog.LOG_WARNING, f"{RECORD} can't be written: {error}")


def _tell(result: dict[str, Any], status: int) -> int:
    write_document(result)
    return status
