# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a command line starts, and where in it."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.system_files.command_lines import Reading, Starts
from ansible_collections.epp.autoupdate.plugins.module_utils._core.system_files.shell_words import unit_words
from ansible_collections.epp.autoupdate.plugins.module_utils._core.system_files.vendor_updaters import Program

SCRIPTS = {
    "/usr/local/bin/patterns": '#!/bin/sh\nFRESHCLAM="/usr/bin/freshclam"\nsleep 3\n$FRESHCLAM --quiet\n',
    "/opt/nightly": "#!/bin/sh\nrsync -a /srv /backup\nfreshclam\n",
    "/opt/caller": "#!/bin/sh\nexec /usr/local/bin/patterns\n",
    "/opt/loop": "#!/bin/sh\n/opt/loop\n",
}
READING = Reading((Program("freshclam", idle=("-V", "--version")),), SCRIPTS.get)

UPDATER = [
    "freshclam",
    "/usr/bin/freshclam --quiet",
    "test -x /usr/bin/freshclam && /usr/bin/freshclam --quiet >/dev/null 2>&1",
    "[ -x /usr/bin/freshclam ] && freshclam --quiet | logger -t freshclam",
    "if [ -x /usr/bin/freshclam ]; then freshclam; fi",
    "nice -n 19 ionice -c3 timeout -k 5 60 freshclam",
    "nice -19 freshclam",
    "LANG=C HOME=/ freshclam",
    "env -i -u X FOO=1 freshclam",
    "sh -c 'sleep 5; exec freshclam'",
    "/bin/bash -lc freshclam",
    'su - clamav -s /bin/sh -c "freshclam -q"',
    "runuser -u clamav -- freshclam",
    "sudo -u clamav freshclam",
    "setsid -f nohup freshclam &",
    "flock -n /run/lock/freshclam freshclam",
    "flock /run/lock/x -c 'freshclam'",
    "start-stop-daemon --start --quiet --exec /usr/bin/freshclam -- -d",
    "start_daemon -p /run/x.pid freshclam -d",
    "X=$(freshclam 2>&1); echo $X",
    'OUT="$(freshclam 2>&1)"; echo "$OUT" | mail -s patterns root',
    "A=`freshclam`",
    "( sleep 3; freshclam ) &",
    "update() { freshclam; }; update",
    "perl -e 'sleep int(rand(3600))' && freshclam",
    ">/var/log/patterns freshclam",
    "PROGRAM=fresh; NAME=/usr/bin/${PROGRAM}clam; $NAME",
    'CMD="nice freshclam"; $CMD',
    "sleep 1 \\\n  && freshclam",
    "/usr/local/bin/patterns",
    "sh -e /usr/local/bin/patterns",
    "/opt/caller --now",
    "systemd-cat -t x freshclam",
]
NOTHING_OF_IT = [
    "",
    "freshclam --version",
    "pkill freshclam",
    "systemctl stop freshclam",
    "timeout 60 systemctl restart freshclam",
    "echo $(date) freshclam",
    "command -v freshclam",
    "test -x /usr/bin/freshclam",
    "tail -f /var/log/freshclam",
    "run >/tmp/freshclam",
    "# freshclam",
    "echo a # freshclam",
    "case $x in freshclam) echo y;; esac",
    "cat <<E\nfreshclam\nE\necho",
    "start-stop-daemon --stop --exec /usr/bin/freshclam",
    "start-stop-daemon --status --exec /usr/bin/freshclam",
    "freshclam-sleep",
    "/opt/freshclam/bin/report",
    "'unbalanced freshclam",
    "/opt/loop",
    "/opt/none",
    "$(which freshclam)",
]
BOTH = {
    "freshclam && clamscan -r /home": "freshclam",
    "clamscan -r /home; nice freshclam": "nice freshclam",
    "sh -c 'clamscan -r /; freshclam'": "freshclam",
    "/opt/nightly": None,
    "/opt/nightly; freshclam": "freshclam",
}


@pytest.mark.parametrize("text", UPDATER)
def test_an_updater_is_seen_through_whatever_starts_it(text):
    assert READING.shell(text) is Starts.UPDATER
    assert list(READING.places(text))


@pytest.mark.parametrize("text", NOTHING_OF_IT)
def test_nothing_is_taken_for_an_updater_that_starts_none(text):
    assert not READING.shell(text).updater
    assert list(READING.places(text)) == []


@pytest.mark.parametrize(("text", "place"), BOTH.items())
def test_what_does_more_is_told_apart_and_the_updater_in_it_found(text, place):
    assert READING.shell(text) is Starts.BOTH
    assert list(READING.places(text)) == ([] if place is None else [text.rindex(place)])


RELOADING = Reading((Program("freshclam", reloads=("clamav-daemon", "clamd", "reload-rules")),), SCRIPTS.get)
RELOADS = [
    "systemctl reload clamav-daemon",
    "systemctl -q try-restart clamav-daemon.service >/dev/null",
    "systemctl --no-block restart clamav-daemon clamd",
    "service clamav-daemon force-reload",
    "/etc/init.d/clamav-daemon condrestart",
    "invoke-rc.d clamav-daemon reload",
    "killall -USR2 clamd",
    "pkill -HUP -x clamd",
    "suricatasc -c reload-rules /run/suricata/socket",
]
DOES_MORE = [
    "pkill -HUP rsyslogd",
    "kill -HUP $(cat /run/clamd.pid)",  # whose process that is, is not seen here
    "pkill -HUP clamd rsyslogd",
    "pkill -9 clamd",
    "systemctl restart clamav-daemon nginx",
    "systemctl disable clamav-daemon",
    "systemctl stop clamav-daemon",
    "systemctl clamav-daemon",
    "systemctl daemon-reload",
    "service clamav-daemon stop",
    "/etc/init.d/clamav-daemon stop",
    "/etc/init.d/nginx reload",
    "suricatasc -c shutdown",
]


@pytest.mark.parametrize("text", RELOADS)
def test_to_reload_the_products_own_service_is_a_part_of_an_update(text):
    assert RELOADING.shell(f"freshclam && {text}") is Starts.UPDATER


@pytest.mark.parametrize("text", DOES_MORE)
def test_whatever_is_done_to_another_service_or_otherwise_is_more(text):
    assert RELOADING.shell(f"freshclam; {text}") is Starts.BOTH


UNIT_COMMANDS = {
    "/usr/bin/freshclam -d --foreground=true": Starts.UPDATER,
    "-@/usr/bin/freshclam patterns --quiet": Starts.UPDATER,
    "+!!/usr/bin/freshclam": Starts.UPDATER,
    ":/usr/bin/env X=1 freshclam": Starts.UPDATER,
    "/bin/sh -c 'freshclam; exec clamd'": Starts.BOTH,
    '/bin/sh -c "exec freshclam"': Starts.UPDATER,
    "/usr/bin/freshclam --version": Starts.NOTHING,
    "/usr/sbin/clamd --foreground": Starts.OTHERS,
    "@/usr/sbin/clamd freshclam": Starts.OTHERS,
    "/usr/local/bin/patterns": Starts.UPDATER,
    "": Starts.NOTHING,
}


@pytest.mark.parametrize(("text", "starts"), UNIT_COMMANDS.items())
def test_commands_of_units(text, starts):
    assert READING.words(unit_words(text)) is starts


@pytest.mark.parametrize("text", ["$(" * 3000, "`" * 3001, "'" * 3001, '"$(' * 1000, "sh -c " * 500, "x <<E\n" * 1000])
def test_hostile_texts_end_soon_and_without_an_error(text):
    assert not READING.shell(text).updater
