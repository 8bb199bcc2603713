# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Earlier sets of databases, kept to go back to.

::

    /var/lib/clamav/daily.cld, main.cvd, …           what freshclam brings and clamd reads
    /var/lib/clamav/epp-kept/00000007/daily.cld, …   a set that was proven, by hard links; the highest number is newest
    /var/lib/clamav/freshclam.dat                    belongs to no set

freshclam replaces files and never writes into them, so a second name costs no space before there is a new version. The
scanners do not look into directories.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from ...._core.cvd_header import SIGNED_SUFFIXES
from ...._core.holds import Holds
from ...._core.results import Component
from ...._core.settings.trust import RestoreSettings
from ...._core.values import frozen
from ...._host.filesystem.open_directory import OpenDirectory, temporary_name
from ...._host.filesystem.removal import remove
from ...._host.filesystem.safe_paths import open_directory
from .cvd import read

NAME = "epp-kept"
_SET = re.compile(r"[0-9]{8}")
_UNFINISHED = ".new"
Files = Mapping[str, os.stat_result]


@frozen
class KeptSets:
    """The kept sets of a (real) database directory; ``names`` are the databases that belong to a set."""

    directory: str
    names: tuple[str, ...]

    def keep(self, settings: RestoreSettings) -> None:
        """Keep what is installed, once, and no more sets than the settings allow. Raises OSError."""
        with open_directory(self.directory) as databases:
            live = self._files(databases)
            if not live:
                return
            with databases.inner(NAME, make=True) as kept:
                numbers = self._sweep(kept)
                if settings.keep_versions and not any(_same(self._of(kept, one), live) for one in numbers):
                    numbers.append(self._add(databases, kept, live, numbers))
                self._prune(kept, numbers, live, settings)

    def restore(self, holds: Holds) -> tuple[Component, ...]:
        """Put the newest set in place that is another one than what is installed, and has no held version.

        Newer ones are dropped. Returns what the set holds, nothing where there is no such set. Each file is replaced
        atomically. Raises OSError.
        """
        with open_directory(self.directory) as databases:
            live = self._files(databases)
            try:
                kept = databases.inner(NAME)
            except FileNotFoundError:
                return ()
            with kept:
                numbers = self._sweep(kept)
                for number in reversed(numbers):
                    components = self._components(number)
                    if components and not holds.among(components) and not _same(self._of(kept, number), live):
                        self._put(kept, number, databases, live)
                        for newer in numbers[numbers.index(number) + 1 :]:
                            remove(kept, newer)
                        return components
        return ()

    def _components(self, number: str) -> tuple[Component, ...]:
        place = os.path.join(self.directory, NAME, number)
        found = (read(place, name) for name in self.names)
        return tuple(one for one in found if one is not None)

    def _files(self, directory: OpenDirectory) -> Files:
        """The files of a set that are in a directory, by name."""
        states = {name: directory.status(name) for name in directory.names() if self._belongs(name)}
        return {name: state for name, state in states.items() if state is not None and stat.S_ISREG(state.st_mode)}

    def _belongs(self, name: str) -> bool:
        whole = name.removesuffix(".sign")
        stem, suffix = os.path.splitext(whole)
        signed = suffix in SIGNED_SUFFIXES and (stem in self.names or stem.rpartition("-")[0] in self.names)
        return name in self.names or signed or (suffix in SIGNED_SUFFIXES and whole in self.names)

    def _of(self, kept: OpenDirectory, number: str) -> Files:
        with kept.inner(number) as directory:
            return self._files(directory)

    def _sweep(self, kept: OpenDirectory) -> list[str]:
        """The numbers of the sets, the newest last; what a killed run left half done is removed."""
        names = kept.names()
        for name in names:
            if name.endswith(_UNFINISHED):
                remove(kept, name)
        return sorted(filter(_SET.fullmatch, names))

    def _add(self, databases: OpenDirectory, kept: OpenDirectory, live: Files, numbers: Sequence[str]) -> str:
        number = f"{int(numbers[-1]) + 1 if numbers else 1:08d}"
        with kept.inner(number + _UNFINISHED, make=True) as staging:
            for name in live:
                databases.hard_link(name, staging, name)
            staging.sync()
        kept.rename(number + _UNFINISHED, kept, number)
        kept.sync()
        return number

    def _put(self, kept: OpenDirectory, number: str, databases: OpenDirectory, live: Files) -> None:
        wanted = self._of(kept, number)
        with kept.inner(number) as directory:
            for name in wanted:
                temporary = temporary_name(name)
                databases.unlink(temporary)
                directory.hard_link(name, databases, temporary)
                databases.rename(temporary, databases, name)
                databases.unlink(temporary)  # which a rename leaves where both are one file
        for name in live.keys() - wanted.keys():
            databases.unlink(name)
        databases.sync()

    def _prune(self, kept: OpenDirectory, numbers: list[str], live: Files, settings: RestoreSettings) -> None:
        """Remove what is beyond the number and the space that is allowed; the set before is within any space.

        Where an update would have no room any more, nothing is kept but what is installed.
        """
        seen, taken, state = set(map(_identity, live.values())), 0, os.fstatvfs(kept.descriptor)
        tight = state.f_bavail * state.f_frsize < sum(file.st_size for file in live.values())
        others = [number for number in reversed(numbers) if not _same(self._of(kept, number), live)]
        for place, number in enumerate(others):
            files = self._of(kept, number).values()
            taken += sum(state.st_size for state in files if _identity(state) not in seen)
            seen.update(map(_identity, files))
            if tight or place >= settings.keep_versions or (place and taken > settings.keep_space):
                with suppress(OSError):
                    remove(kept, number)


def _identity(state: os.stat_result) -> tuple[int, int]:
    return state.st_dev, state.st_ino


def _same(one: Files, other: Files) -> bool:
    """Whether two sets are the same files under the same names."""
    return _identities(one) == _identities(other)


def _identities(files: Files) -> dict[str, tuple[int, int]]:
    return {name: _identity(state) for name, state in files.items()}


def words(components: Iterable[Component]) -> str:
    """A set in words."""
    return ", ".join(f"{one.name} {one.version}" for one in components)
