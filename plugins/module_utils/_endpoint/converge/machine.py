# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One machine is one endpoint: under another name than before, a converge is refused.

Two names of an inventory that lead to one machine would give it another identity at each run. A copy of a machine, or
of an image, is another machine: it has a machine ID of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..._core.settings.endpoint import EndpointDocument
from ..._core.validation.errors import InvalidDocument, ValidationError, show
from ..._host.host import Host
from ..installed import Installed

_MACHINE_ID = "/etc/machine-id"
_NONE_YET = "uninitialized"
_HOST_KEYS = tuple(f"/etc/ssh/ssh_host_{kind}_key.pub" for kind in ("ed25519", "ecdsa", "rsa"))
"""The host's public keys, the best kind first; which of them there are is the host's affair."""


def machine_id(host: Host) -> str:
    """The machine's own ID; empty where it has none, as in an image."""
    text = (host.read(_MACHINE_ID) or b"").decode("ascii", "replace").strip()
    return "" if text == _NONE_YET else text


def host_key(host: Host) -> str | None:
    """The host's public SSH key, by which an update server knows it; None where it has none."""
    return next((key for _path, key in _host_keys(host)), None)


def host_key_path(host: Host) -> str | None:
    """The file of that public key; the private one lies beside it, without ``.pub``."""
    return next((path for path, _key in _host_keys(host)), None)


def _host_keys(host: Host) -> Iterator[tuple[str, str]]:
    from ..._core.validation.public_keys import public_key

    for path in _HOST_KEYS:
        key = public_key((host.read(path) or b"").decode("utf-8", "replace"))
        if key is not None:
            yield path, key


def refuse_another_name(document: EndpointDocument, host: Host, installed: Installed) -> None:
    """Raise InvalidDocument where this very machine is an endpoint already, and has another name."""
    before = installed.document
    if before is None or before.endpoint == document.endpoint or installed.state.machine != machine_id(host):
        return
    name = before.endpoint
    allowed = (
        f"the name of this machine, which is the endpoint {show(name)} already. If two hosts of the inventory are this "
        f"machine, remove one of them. If it was renamed, keep its name (autoupdate_endpoint_name: {name}), or let it "
        "begin anew (run with autoupdate_state: absent under the name that it has). If it is a copy, give it a machine "
        "ID of its own"
    )
    raise InvalidDocument((ValidationError("endpoint", show(document.endpoint), allowed),))
