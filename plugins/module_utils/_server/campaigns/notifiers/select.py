# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways to endpoints, one file per back end, behind one door."""

from __future__ import annotations

from typing import Callable

from ...._core.settings.notify import NotifierName, NotifySettings
from ...._host.host import Host
from .base import Notifier


def _ssh(settings: NotifySettings, host: Host) -> Notifier:
    from .ssh import SshNotifier

    return SshNotifier.of(settings, host)


def _mqtt(_settings: NotifySettings, _host: Host) -> Notifier:
    raise LookupError(
        "endpoints that listen to a message broker are not asked one by one (notify.notifier is mqtt): what is due is"
        " published, and they report by themselves"
    )


def _local(_settings: NotifySettings, host: Host) -> Notifier:
    from .local import LocalNotifier

    return LocalNotifier(host)


_NOTIFIERS: dict[NotifierName, Callable[[NotifySettings, Host], Notifier]] = {
    NotifierName.SSH: _ssh,
    NotifierName.MQTT: _mqtt,
    NotifierName.LOCAL: _local,
}


def select_notifier(settings: NotifySettings, host: Host) -> Notifier:
    """The notifier that the settings name. Only its own back end is imported.

    Raises LookupError where the way is one of publications (``publishing``).
    """
    return _NOTIFIERS[settings.notifier](settings, host)
