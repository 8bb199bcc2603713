# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``epp-agent selftest``, which tries what an update needs, where updates run."""

from __future__ import annotations

import argparse
import json

from ..._host.local_host import LocalHost
from ..._host.output import write_document, write_lines
from ..._host.superuser import require_root
from .. import paths
from ..endpoint import Endpoint
from . import exit_codes

_LIMIT_S = 120.0


def selftest(host: LocalHost, options: argparse.Namespace) -> int:
    """Try the product's updater and its engine; no source gets a request. The result lies where a converge finds it."""
    require_root(host, "the self-test")
    endpoint = Endpoint.load(host, options.product)
    errors = _tried(endpoint)
    host.write(endpoint.at(paths.TRIAL), json.dumps({"errors": list(errors)}).encode(), mode=0o600)
    if options.json:
        write_document({"errors": list(errors)})
    else:
        write_lines(errors or ("selftest: no errors",))
    return exit_codes.FAILED if errors else exit_codes.DONE


def _tried(endpoint: Endpoint) -> tuple[str, ...]:
    try:
        return endpoint.product.trial(_LIMIT_S)
    except OSError as error:
        return (str(error),)
