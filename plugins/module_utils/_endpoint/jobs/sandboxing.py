# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far each of our systemd services is shut in (systemd.exec(5)); the tests measure the exposure."""

from __future__ import annotations

from collections.abc import Iterable

from ..._host.systemd.quoting import optional_paths
from ..._host.systemd.sandboxing import EVERY_SERVICE, private_tmp
from ..paths import RUNTIME_DIRECTORY, STATE_DIRECTORY
from .job_plan import JobPlan

_PLACES = """\
StateDirectory={state}
RuntimeDirectory={runtime}
RuntimeDirectoryPreserve=yes
""".format(
    state=STATE_DIRECTORY.rpartition("/")[2],
    runtime=RUNTIME_DIRECTORY.rpartition("/")[2],
)

_UPDATE = """\
ProtectHome={homes}
ProtectKernelModules=yes
PrivateTmp={private_tmp}
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
CapabilityBoundingSet={capabilities}
ReadWritePaths={writable}
"""

# A scan has to see every file: neither a private /tmp nor hidden homes or kernel modules. It writes to the temporary
# directories, where scanners unpack archives.
_SCAN = """\
ProtectHome=read-only
UMask=0077
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
CapabilityBoundingSet={capabilities}
ReadWritePaths={writable}
"""

_SWITCH = """\
ProtectHome=yes
ProtectKernelModules=yes
ProtectProc=invisible
ProcSubset=pid
PrivateTmp=yes
PrivateNetwork=yes
IPAddressDeny=any
UMask=0077
MemoryDenyWriteExecute=yes
SystemCallFilter=~@privileged @resources
RestrictAddressFamilies=AF_UNIX
CapabilityBoundingSet={capabilities}
ReadWritePaths={writable}
"""

# The agent alone, talking to the update server. ssh-keygen checks signatures, in a temporary directory of ours, and
# signs reports with the host's key, which root owns. The daily report looks for drift, also of keys in root's home.
_SYNC = """\
ProtectHome={homes}
ProtectKernelModules=yes
ProtectProc=invisible
PrivateTmp=yes
UMask=0022
MemoryDenyWriteExecute=yes
SystemCallFilter=~@privileged @resources
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
CapabilityBoundingSet={capabilities}
ReadWritePaths={writable}
"""

# What a converge may do: units, rules, groups, accounts, keys. So it sees the host as it is, but for
# what no converge touches; and it has no network, for what it carries out was fetched and verified by another.
_CONFIGURE = """\
NoNewPrivileges=yes
ProtectSystem=yes
ProtectControlGroups=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectClock=yes
ProtectHostname=yes
PrivateDevices=yes
PrivateNetwork=yes
PrivateTmp=yes
IPAddressDeny=any
RestrictAddressFamilies=AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
CapabilityBoundingSet=CAP_AUDIT_WRITE CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID
"""

# What a package manager may do: dpkg and the scripts of packages write where they like, give files to accounts, load
# profiles of AppArmor and restart services. So this unit exists only where policy wants it.
_ENGINE = """\
NoNewPrivileges=yes
ProtectHome=read-only
ProtectControlGroups=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectClock=yes
ProtectHostname=yes
PrivateDevices=yes
PrivateTmp=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
CapabilityBoundingSet={capabilities}
"""
_PACKAGE_MANAGER = (
    "CAP_AUDIT_WRITE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_MAC_ADMIN",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
)

_OFFLINE = """\
PrivateNetwork=yes
IPAddressDeny=any
"""

_TEMPORARY = ("/tmp", "/var/tmp")


def for_update(plan: JobPlan) -> str:
    """The agent with the product's updater: the network, the product's own paths and capabilities."""
    return _updating(plan, homes="read-only")


def for_selftest(plan: JobPlan) -> str:
    """As for an update. Homes are hidden as in the strictest service, where the product itself has nothing in them."""
    return _updating(plan, homes="read-only" if plan.needs_homes else "yes")


def _updating(plan: JobPlan, *, homes: str) -> str:
    writable = (*_textfile(plan), *plan.needs.read_write)
    return (
        _PLACES
        + EVERY_SERVICE
        + _UPDATE.format(
            homes=homes,
            private_tmp=private_tmp(writable),
            capabilities=_capabilities(plan, _with_kill(plan.needs.capabilities)),
            writable=optional_paths(writable),
        )
    )


def for_notice(plan: JobPlan) -> str:
    """The agent as it updates: a notice starts no other work."""
    return for_update(plan)


def for_scan(plan: JobPlan) -> str:
    """The agent with a scanner: reads everything, writes next to nothing."""
    return (
        _PLACES
        + EVERY_SERVICE
        + _SCAN.format(
            capabilities=_capabilities(plan, ("CAP_DAC_READ_SEARCH", *plan.needs.scan_capabilities)),
            writable=optional_paths((*_TEMPORARY, *_textfile(plan))),
        )
    )


def for_switch(plan: JobPlan) -> str:
    """The agent alone, noting what a user has switched."""
    return (
        _PLACES
        + EVERY_SERVICE
        + _SWITCH.format(capabilities=_capabilities(plan, ()), writable=optional_paths(_textfile(plan)))
    )


def for_sync(plan: JobPlan) -> str:
    """The agent alone with the network; homes are hidden where no converge looks into them."""
    return (
        _PLACES
        + EVERY_SERVICE
        + _SYNC.format(
            homes="read-only" if plan.needs_homes or plan.keys_in_homes else "yes",
            capabilities=_capabilities(plan, ()),
            writable=optional_paths(_textfile(plan)),
        )
    )


def for_listening(plan: JobPlan) -> str:
    """As for a synchronization: the network, mosquitto_sub and ssh-keygen, and the socket of notices."""
    return for_sync(plan)


def for_report(plan: JobPlan) -> str:
    """As for a synchronization; without an update server there is no network."""
    return for_sync(plan) + ("" if plan.configuration else _OFFLINE)


def for_configuring() -> str:
    """The agent as it converges the host, without a network."""
    return _CONFIGURE


def for_engine() -> str:
    """The agent with the package manager, which is shut in as little as the scripts of packages are."""
    return _PLACES + _ENGINE.format(capabilities=" ".join(_PACKAGE_MANAGER))


def _textfile(plan: JobPlan) -> tuple[str, ...]:
    return (plan.textfile_directory,) if plan.textfile_directory else ()


def _capabilities(plan: JobPlan, needed: Iterable[str]) -> str:
    """The textfile's directory belongs to another user on some distributions, hence one more capability."""
    collector = ("CAP_DAC_OVERRIDE",) if plan.textfile_directory else ()
    return " ".join(sorted({*needed, *collector}))


def _with_kill(capabilities: tuple[str, ...]) -> tuple[str, ...]:
    """An updater that changes its user can only be ended by somebody who may signal other users' processes."""
    return (*capabilities, "CAP_KILL") if "CAP_SETUID" in capabilities else capabilities
