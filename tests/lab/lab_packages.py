# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packages of ClamAV that a machine has, packed anew with other versions, and a source of apt-get for them."""

from __future__ import annotations

import base64

from lab_nodes import Node
from lab_server import ComponentServer

PLACE = "/srv/packages"
SOURCES = "/etc/apt/sources.list.d/lab.list"
# From what dpkg has on record of an installed package: its control fields and scripts, and the files that are its own.
PACK = r"""
set -eu
suffix=$1 only=$2 postinst=$3
mkdir -p /srv/packages
fields='${db:Status-Abbrev}|${Package}|${source:Package}\n'
for package in $(dpkg-query -W -f "$fields" 'clamav*' 'libclamav*' clamdscan |
    sed -n 's/^[hi]i *|\(.*\)|clamav$/\1/p'); do
  tree=$(mktemp -d)
  mkdir "$tree/DEBIAN"
  dpkg-query -s "$package" | sed -e '/^Status:/d' -e '/^Conffiles:/,/^[^ ]/{/^Conffiles:/d;/^ /d}' \
    -e "s/^Version: \(.*\)/Version: \1$suffix/" -e "s/(= \([^)]*\))/(= \1$suffix)/g" >"$tree/DEBIAN/control"
  if ! grep -q ^Source: "$tree/DEBIAN/control" && [ "$package" != clamav ]; then
    sed -i '1a Source: clamav' "$tree/DEBIAN/control"
  fi
  for file in /var/lib/dpkg/info/$package.* /var/lib/dpkg/info/$package:*.*; do
    [ -e "$file" ] || continue
    case $file in *.list|*.md5sums) continue;; esac
    cp -p "$file" "$tree/DEBIAN/${file##*.}"
  done
  if [ -n "$postinst" ] && { [ -z "$only" ] || [ "$only" = "$package" ]; }; then
    [ -e "$tree/DEBIAN/postinst" ] || printf '#!/bin/sh\nset -e\n' >"$tree/DEBIAN/postinst"
    printf '%s' "$postinst" >>"$tree/DEBIAN/postinst"
    sed -i '/^exit 0$/d' "$tree/DEBIAN/postinst"
    chmod 755 "$tree/DEBIAN/postinst"
  fi
  dpkg-query -L "$package" | while read -r path; do
    if [ -d "$path" ] && [ ! -L "$path" ]; then mkdir -p "$tree$path"
    elif [ -e "$path" ] || [ -L "$path" ]; then mkdir -p "$tree${path%/*}"; cp -a "$path" "$tree$path"; fi
  done
  dpkg-deb -Zgzip -z1 --root-owner-group --build "$tree" /srv/packages >/dev/null
  rm -r "$tree"
done
"""
INDEX = r"""
set -eu
cd /srv/packages
for file in *.deb; do
  dpkg-deb -f "$file"
  printf 'Filename: %s\nSize: %s\nSHA256: %s\n\n' "$file" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d' ' -f1)"
done
"""


class Packages:
    """What was packed on a machine. A version is named by its suffix; the empty one is the distribution's own."""

    def __init__(self, machine: Node) -> None:
        self._machine = machine
        self._own = self.installed().pop()
        self.pack("")
        self._machine.run("rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*")

    def version(self, suffix: str) -> str:
        return self._own + suffix

    def pack(self, suffix: str, *, postinst: str = "", only: str = "") -> None:
        """Pack the installed packages as this version; ``postinst`` is added to what runs at their installation."""
        assert self.installed() == {self._own}, "they are packed from the distribution's own"
        self._machine.run(["sh", "-c", PACK, "pack", suffix, only, postinst])

    def offer(self, server: ComponentServer, *suffixes: str) -> None:
        """Have a package source serve these versions beside what the server has, and the machine go by it."""
        files = self._machine.run("ls /srv/packages").out.split()
        wanted = [name for name in files if name.split("_")[1] in {self.version(one) for one in suffixes}]
        entries = [one for one in self._machine.run(INDEX).out.split("\n\n") if _file(one) in wanted]
        for name in wanted:
            content = self._machine.run(["base64", "-w0", f"{PLACE}/{name}"]).out
            (server.www / name).write_bytes(base64.b64decode(content))
        (server.www / "Packages").write_text("\n\n".join(entries) + "\n")
        self._machine.write(SOURCES, f"deb [trusted=yes] {server.url} ./\n")

    def install(self, suffix: str) -> None:
        """Bring this version to the machine, whichever it has."""
        if self.installed() != {self.version(suffix)}:
            debs = f"{PLACE}/*_{self.version(suffix)}_*.deb"
            self._machine.run(f"DEBIAN_FRONTEND=noninteractive dpkg --force-confold --install {debs}")

    def installed(self) -> set[str]:
        """The versions of the installed packages of ClamAV: one, where all have the same."""
        fields = "${db:Status-Abbrev}|${source:Package}|${Version}\\n"
        told = self._machine.run(["dpkg-query", "-W", "-f", fields, "clamav*", "libclamav*", "clamdscan"], check=False)
        rows = (line.split("|") for line in told.out.splitlines())
        return {row[2] for row in rows if row[0].strip() in ("ii", "hi") and row[1] == "clamav"}


def _file(entry: str) -> str:
    return next((line.partition(": ")[2] for line in entry.splitlines() if line.startswith("Filename: ")), "")
