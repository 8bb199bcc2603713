# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file of a report: its document, signed with the host's own SSH key, by which its update server knows it."""

from __future__ import annotations

from ..._core.metadata.envelope import pack
from ..._core.reports.report import NAMESPACE, Report
from ..._host.host import Host
from ..._host.ssh_signatures import sign
from ..converge.machine import host_key_path

_LONGEST_S = 10.0


class Unsigned(OSError):
    """The report can't be signed, so there is none; ``cause`` is the kind of obstacle."""

    def __init__(self, cause: str, why: str) -> None:
        super().__init__(why)
        self.cause = cause


def signing_key(host: Host) -> str:
    """The file of the private key; raises Unsigned where the host has none."""
    public = host_key_path(host)
    if public is None:
        raise Unsigned("no_key", "this host has no SSH host key to sign reports with: make one (ssh-keygen -A)")
    return public[: -len(".pub")]


def sealed(host: Host, report: Report, key: str) -> bytes:
    """The envelope of a report; raises Unsigned."""
    document = report.to_bytes()
    try:
        signature = sign(host, document, key, NAMESPACE, timeout=_LONGEST_S)
    except FileNotFoundError:
        raise Unsigned("no_program", "reports can't be signed: this host has no ssh-keygen: install it") from None
    except OSError as error:
        raise Unsigned("not_signed", f"reports can't be signed: {error}") from error
    return pack(document, signature, NAMESPACE)
