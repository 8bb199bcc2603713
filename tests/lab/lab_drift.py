# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every kind of drift: on which machine, how it is made, and what the playbook ``check`` says of it."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

from lab_nodes import AGENT
from lab_update_server import PUBLIC
from lab_update_server import SERVER as SERVER_PROGRAM

SERVER, FILES, CLAMAV, ADOPTING, CRON, UNTOUCHED = "n18", "n19", "n20", "n21", "b9", "n22"
"""The update server; endpoints of the product ``files`` and of ClamAV; one that has adopted what is not published any
more; one without systemd; one that nobody touches."""
ENDPOINTS = (FILES, CLAMAV, ADOPTING, CRON, UNTOUCHED)
DOMAIN = "shops"

_UNITS = "/etc/systemd/system"
_DOCUMENT = "/etc/epp-autoupdate/endpoint.json"
_SETTINGS = "/etc/epp-autoupdate/server.json"
_STATE = "/var/lib/epp-autoupdate/state.json"
_ADOPTED = "/var/lib/epp-autoupdate/configuration/adopted.json"
_POLKIT = "/etc/polkit-1/rules.d/60-epp-autoupdate.rules"
_NOTIFY_KEY = "/var/lib/epp-autoupdate-notify/.ssh/authorized_keys"
_SIGNING_KEY = "/var/lib/epp-autoupdate-server/keys/signing-1"
_CRON_TABLE = "/etc/cron.d/epp-autoupdate"
_NGINX = "/etc/nginx/conf.d/epp-autoupdate.conf"
_VENDOR = "clamav-freshclam.service"
ADOPTS = "the configuration is adopted"
"""Without the serials, which are higher once ``site`` has put the client tree right."""


@dataclass(frozen=True)
class Found:
    """One thing that ``check`` tells: of the host, or of another one; ``path`` is empty for what is no file."""

    kind: str
    path: str
    text: str
    host: str = ""


@dataclass(frozen=True)
class Case:
    """Drift of one kind: a shell script makes it on a machine, and these things are told of it."""

    machine: str
    script: str
    found: tuple[Found, ...]


def _case(machine: str, script: str, kind: str, path: str, text: str, *more: Found, host: str = "") -> Case:
    return Case(machine, script, (Found(kind, path, text, host or machine), *more))


def _python(program: str) -> str:
    return f"python3 -c {shlex.quote(program)}"


def _in_json(path: str, change: str) -> str:
    """A change of a JSON document ``d`` in place; the file keeps its mode and owner."""
    return _python(f"import json;p={path!r};d=json.load(open(p));{change};json.dump(d,open(p,'w'))")


def _edited(path: str) -> str:
    return f"echo '# by hand' >>{path}"


def _tree(scope: str, name: str, section: str, **values: bool) -> str:
    asked = json.dumps({"scope": scope, "name": name, "values": {section: values}})
    return f"printf %s {shlex.quote(asked)} | {SERVER_PROGRAM} tree set --json"


_WITHOUT_A_MODULE = f"""
import zipfile
whole = open({AGENT!r}, "rb").read()
with zipfile.ZipFile({AGENT!r}) as old, open("/run/lab-agent", "wb") as new:
    new.write(whole[: whole.index(b"\\n") + 1])
    with zipfile.ZipFile(new, "w") as made:
        kept = [one for one in old.infolist() if "/runner/scan." not in one.filename]
        assert len(kept) < len(old.infolist())
        for one in kept:
            made.writestr(one, old.read(one))
open({AGENT!r}, "wb").write(open("/run/lab-agent", "rb").read())
"""

# In this order: what makes systemd read its units again comes before what it is not to have read, and a timer stops
# before the unit goes that it would start.
CASES: dict[str, Case] = {
    "root's policy was changed on the server": _case(
        SERVER, _tree("root", "", "events", update_after_download=True), "client tree", "root", "differs", host=FILES
    ),
    "a domain's policy was changed on the server": _case(
        SERVER,
        _tree("domain", DOMAIN, "privileges", update_now=False),
        "client tree",
        f"domain {DOMAIN}",
        "differs",
        host=FILES,
    ),
    "an endpoint was removed from the server": _case(
        SERVER,
        f"""printf '{{"absent": ["{CLAMAV}"]}}' | {SERVER_PROGRAM} register""",
        "client tree",
        f"endpoint {CLAMAV}",
        "not registered",
        host=CLAMAV,
    ),
    "a private key of the server may be read by others": _case(
        SERVER, f"chmod 0640 {_SIGNING_KEY}", "state", _SIGNING_KEY, "mode 0640 instead of mode 0600"
    ),
    "the server's settings may be written by anybody": _case(
        SERVER, f"chmod 0666 {_SETTINGS}", "configuration", _SETTINGS, "mode 0666 instead of mode 0640"
    ),
    "what the server publishes belongs to another user": _case(
        SERVER, f"chown root {PUBLIC}", "state", PUBLIC, "mode 0755, foreign owner instead of mode 0755"
    ),
    "nginx's configuration was edited": _case(SERVER, _edited(_NGINX), "web server", _NGINX, "differs"),
    "nginx does not start at boot": _case(
        SERVER, "systemctl disable nginx", "running state", "", "nginx does not start at boot"
    ),
    "a timer of the server was stopped": _case(
        SERVER, "systemctl stop epp-server-publish.timer", "running state", "", "epp-server-publish.timer is not active"
    ),
    "a unit of the server was removed": _case(
        SERVER,
        f"rm {_UNITS}/epp-server-publish.service; systemctl daemon-reload",
        "service",
        f"{_UNITS}/epp-server-publish.service",
        "missing",
    ),
    "the server's program was edited": _case(
        SERVER, f"echo x >>{SERVER_PROGRAM}", "program", SERVER_PROGRAM, "differs"
    ),
    "a unit was edited": _case(
        FILES,
        f"{_edited(f'{_UNITS}/epp-update@.service')}; systemctl daemon-reload",
        "service",
        f"{_UNITS}/epp-update@.service",
        "differs",
    ),
    "a unit was removed": _case(
        FILES,
        f"rm {_UNITS}/epp-report.service; systemctl daemon-reload",
        "service",
        f"{_UNITS}/epp-report.service",
        "missing",
    ),
    "a drop-in changes a timer": _case(
        FILES,
        f"cd {_UNITS}; mkdir epp-update.timer.d; printf '[Timer]\\nAccuracySec=1h\\n' >epp-update.timer.d/mine.conf;"
        " systemctl daemon-reload",
        "unit",
        f"{_UNITS}/epp-update.timer.d",
        "not wanted",
    ),
    "a timer was stopped": _case(
        FILES, "systemctl stop epp-sync.timer", "running state", "", "epp-sync.timer is not active"
    ),
    "a timer was disabled": _case(
        FILES,
        "systemctl disable epp-update.timer",
        "timer",
        f"{_UNITS}/timers.target.wants/epp-update.timer",
        "missing",
    ),
    "the agent was edited": _case(
        FILES, f"sed -i 's/joined the run/joined one run/g' {AGENT}", "program", AGENT, "differs"
    ),
    "the document was edited": _case(
        FILES, _in_json(_DOCUMENT, "d['scan_paths']=['/nowhere']"), "configuration", _DOCUMENT, "differs"
    ),
    "the polkit rule was edited": _case(
        FILES, f"sed -i 's/isInGroup(group)/isInGroup(\"users\")/' {_POLKIT}", "polkit rule", _POLKIT, "differs"
    ),
    "the group of the users was removed": _case(
        FILES, "groupdel epp-users", "running state", "", "group epp-users is created"
    ),
    "the line of the notify key was edited": _case(
        FILES, f"sed -i 's/^restrict,//' {_NOTIFY_KEY}", "notify key", _NOTIFY_KEY, "differs"
    ),
    "a file of the agent's library was removed": _case(CLAMAV, _python(_WITHOUT_A_MODULE), "program", AGENT, "differs"),
    "a secret file may be read by anybody": _case(
        CLAMAV, f"chmod 0644 {_DOCUMENT}", "configuration", _DOCUMENT, "mode 0644 instead of mode 0600"
    ),
    "the polkit rule belongs to a user": _case(
        CLAMAV, f"chown alice {_POLKIT}", "polkit rule", _POLKIT, "mode 0644, foreign owner instead of mode 0644"
    ),
    "the account of the notices was locked": _case(
        CLAMAV,
        "usermod --shell /usr/sbin/nologin epp-notify",
        "running state",
        "",
        "user epp-notify gets its home, shell and unlocked keys back",
    ),
    "the vendor's own updater was enabled": _case(
        CLAMAV, f"systemctl enable {_VENDOR}", "service", f"{_UNITS}/multi-user.target.wants/{_VENDOR}", "not wanted"
    ),
    "the vendor's own updater was started": _case(
        CLAMAV,
        f"rm {_UNITS}/{_VENDOR}.d/zz-epp-autoupdate.conf; systemctl daemon-reload; systemctl start {_VENDOR}; "
        f"systemctl kill --signal=STOP {_VENDOR}",  # it runs, and writes nothing of its own meanwhile
        "unit",
        f"{_UNITS}/{_VENDOR}.d/zz-epp-autoupdate.conf",
        "missing",
        Found("running state", "", f"{_VENDOR} is running", CLAMAV),
    ),
    "the server was not heard for a day and publishes something else": _case(
        ADOPTING, _in_json(_STATE, "d['sync']['answered']-=27*3600"), "adopted configuration", "", ADOPTS
    ),
    "a unit was edited and not read again": _case(
        ADOPTING,
        _edited(f"{_UNITS}/epp-sync.timer"),
        "timer",
        f"{_UNITS}/epp-sync.timer",
        "differs",
        Found("running state", "", "epp-sync.timer has changed since systemd read it", ADOPTING),
    ),
    "the polkit rule was removed": _case(ADOPTING, f"rm {_POLKIT}", "polkit rule", _POLKIT, "missing"),
    "the adopted configuration is lost": _case(CRON, f"rm {_ADOPTED}", "adopted configuration", "", ADOPTS),
    "the cron table was edited": _case(CRON, _edited(_CRON_TABLE), "cron table", _CRON_TABLE, "differs"),
    "the sudo rule may be written by its group": _case(
        CRON,
        "chmod 0460 /etc/sudoers.d/epp-autoupdate",
        "sudo rule",
        "/etc/sudoers.d/epp-autoupdate",
        "mode 0460 instead of mode 0440",
    ),
    "the sudo rule of the notices was removed": _case(
        CRON, "rm /etc/sudoers.d/epp-autoupdate-notice", "sudo rule", "/etc/sudoers.d/epp-autoupdate-notice", "missing"
    ),
    "the notify key was removed": _case(CRON, f"rm {_NOTIFY_KEY}", "notify key", _NOTIFY_KEY, "missing"),
}
