# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What endpoints need to know of this server, which is what their documents have in the section ``server``."""

from __future__ import annotations

from typing import Any

from .._core.settings.notify import NotifierName
from .._core.validation.errors import InvalidDocument, ValidationError, show
from .._core.validation.parsers import InvalidValue
from .._core.validation.strings import base_url
from .._host.host import Host
from . import paths
from .publication.key_files import ensure_key, public_part
from .publication.keys import ensure_keyring, read_keyring
from .publication.publish import publication_lock
from .settings import notify_settings, read_section


def enrollment_of(host: Host, *, check: bool) -> dict[str, Any] | None:
    """``url``, ``signers``, ``notify_key`` and ``notify_user``, or ``broker`` in place of a key; keys that are missing
    are made.

    With ``check`` none are made: None where they are not there yet. Raises InvalidDocument for bad settings.
    """
    url, notify = _url(read_section(host, "web")), notify_settings(host)
    by_broker = notify.notifier is NotifierName.MQTT and notify.mqtt is not None
    own = notify.key == paths.NOTIFY_KEY and not by_broker
    if check and (read_keyring(host) is None or (own and not host.exists(notify.key))):
        return None
    with publication_lock(host):
        signers = ensure_keyring(host).signers
        if by_broker and notify.mqtt is not None:
            broker = notify.mqtt.of_endpoints.to_dict()
            known = {"url": url, "signers": list(signers), "notify_key": None, "notify_user": notify.user}
            return {**known, "broker": broker}
        key = ensure_key(host, notify.key) if own else public_part(host, notify.key)
    plain = " ".join(key.split()[:2])
    return {"url": url, "signers": list(signers), "notify_key": plain, "notify_user": notify.user}


def _url(web: object) -> str:
    raw = web.get("url") if isinstance(web, dict) else None
    try:
        return base_url("https", "http")(raw)
    except InvalidValue as unfit:
        found = "" if raw is None else (unfit.found or show(raw))
        raise InvalidDocument((ValidationError("web.url", found, unfit.allowed),)) from None
