# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a command line starts a product's own updater, and where in it.

Programs that start others (``nice``, ``timeout``, ``env``, ``sh -c``, scripts) are looked through, to a depth that is
bounded. A command whose meaning stays open counts as something else: nothing is switched off on a mere guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import Callable, Union

from ..values import frozen
from .shell_words import SimpleCommand, Word, shell_commands
from .vendor_updaters import Program

Scripts = Callable[[str], "str | None"]
"""The text of the shell script at a path; None for anything else."""

_SHELLS = frozenset(("sh", "bash", "dash", "ash", "ksh", "mksh", "zsh"))
Place = Union[int, range]
"""Where a command begins, or where the arguments lie without which a command would not update."""
_ASSIGNED = re.compile(r"\w+=.*", re.DOTALL)
_DEEPEST = 4

_STARTERS: dict[str, tuple[str, int]] = {
    # program: (its short options that take a word, how many words it takes before the command)
    "chrt": ("TPD", 1),
    "chronic": ("", 0),
    "command": ("", 0),
    "cronic": ("", 0),
    "daemon": ("", 0),
    "doas": ("Cu", 0),
    "env": ("uCS", 0),
    "eval": ("", 0),
    "exec": ("a", 0),
    "flock": ("wE", 1),
    "ionice": ("cnpPu", 0),
    "nice": ("n", 0),
    "nohup": ("", 0),
    "run-one": ("", 0),
    "runuser": ("ugGsw", 0),
    "setpriv": ("", 0),
    "setsid": ("", 0),
    "start_daemon": ("np", 0),
    "stdbuf": ("ioe", 0),
    "sudo": ("ugChpTRrtD", 0),
    "systemd-cat": ("tp", 0),
    "systemd-inhibit": ("", 0),
    "systemd-run": ("pHMuE", 0),
    "taskset": ("", 1),
    "time": ("fo", 0),
    "timeout": ("ks", 1),
}
_LONG_WITH_WORD = frozenset(
    (
        "--adjustment", "--chdir", "--class", "--classdata", "--group", "--kill-after", "--pidfile", "--priority",
        "--signal", "--timeout", "--unit", "--unset", "--user", "--wait",
    )
)  # fmt: skip
_HELPERS = frozenset(
    (
        "", ".", ":", "[", "[[", "]]", "basename", "break", "cat", "cd", "chown", "continue", "cut", "date",
        "dirname", "echo", "exit", "export", "expr", "false", "grep", "head", "hostname", "let", "local",
        "logger", "mail", "mailx", "mkdir", "od", "pgrep", "pidof", "printf", "read", "readonly", "return",
        "sendmail", "set", "shift", "shuf", "sleep", "source", "tail", "tee", "test", "touch", "tr", "trap",
        "true", "ulimit", "umask", "unset", "wait", "which",
    )
)  # fmt: skip
"""What a command line may hold besides, to be nothing but an update all the same."""
_RELOADERS = frozenset(("invoke-rc.d", "rc-service", "service", "systemctl"))
_ASKERS = frozenset(("suricatasc",))
"""Programs that ask a running engine for something, by words that are among ``reloads``."""
_RELOADING = frozenset(
    ("condrestart", "force-reload", "reload", "reload-or-restart", "restart", "try-reload-or-restart", "try-restart")
)
_SIGNALERS = frozenset(("kill", "killall", "pkill"))
_SIGNALS = frozenset(("-1", "-HUP", "-SIGHUP", "-USR1", "-USR2", "-SIGUSR1", "-SIGUSR2"))
"""Those by which services are told to load anew."""
_WAITERS = re.compile(r"(?:perl|python[\d.]*)")


class Starts(Enum):
    """What a command line starts."""

    NOTHING = "nothing"
    """Nothing that counts: it tests, waits, prints."""
    OTHERS = "others"
    UPDATER = "updater"
    BOTH = "both"
    """The updater and something else."""

    @property
    def updater(self) -> bool:
        return self in (Starts.UPDATER, Starts.BOTH)


@frozen
class Reading:
    """How command lines are read: for which updaters, and with which scripts at hand."""

    programs: tuple[Program, ...]
    scripts: Scripts

    def shell(self, text: str, *, depth: int = 0) -> Starts:
        """What a shell's text starts."""
        return _together(self._simple(command, depth) for command in shell_commands(text))

    def words(self, words: Sequence[Word], *, depth: int = 0) -> Starts:
        """What one program with its arguments starts."""
        return self._simple(SimpleCommand(0, tuple(words)), depth)

    def places(self, text: str, *, depth: int = 0) -> Iterator[Place]:
        """Where in a shell's text the commands begin that start the updater and nothing else that counts; of those
        that do more, where the arguments lie that make them update."""
        for command in shell_commands(text):
            yield from self._places_in(command, depth)

    def places_in_words(self, words: Sequence[Word]) -> Iterator[Place]:
        """The same in one command of a unit: in the text that it gives to a shell, or among its arguments."""
        for place in self._places_in(SimpleCommand(-1, tuple(words)), 0):
            if isinstance(place, range) or place >= 0:
                yield place

    def _places_in(self, command: SimpleCommand, depth: int) -> Iterator[Place]:
        starts = self._simple(command, depth)
        words = _stripped(command.words)
        text = _shell_text(words)
        if starts.updater and text is not None and text.start is not None and depth < _DEEPEST:
            for place in self.places(text.text, depth=depth + 1):
                yield _moved(place, text.start)
        elif starts is Starts.UPDATER:
            yield command.start
        elif starts is Starts.BOTH:
            program = self._program(words)
            told = () if program is None else tuple(word for word in words[1:] if word.text in program.only)
            if all(word.start is not None for word in told):
                yield from (range(word.start or 0, (word.start or 0) + len(word.text)) for word in told)

    def _program(self, words: Sequence[Word]) -> Program | None:
        name = words[0].text.rpartition("/")[2] if words else ""
        return next((program for program in self.programs if program.name == name), None)

    def _simple(self, command: SimpleCommand, depth: int) -> Starts:
        words = _stripped(command.words)
        if not words or words[0].text in command.functions or depth > _DEEPEST:
            return Starts.NOTHING
        path, arguments = words[0].text, [word.text for word in words[1:]]
        name = path.rpartition("/")[2]
        program = self._program(words)
        if program is not None:
            return _started_by(program, arguments)
        waits = _WAITERS.fullmatch(name) and any("sleep" in word for word in arguments)
        if name in _HELPERS or waits or self._reloads(path, arguments):
            return Starts.NOTHING
        text = _shell_text(words)
        if text is not None:
            return self.shell(text.text, depth=depth + 1)
        return self._script(_script_path(words), depth)

    def _reloads(self, path: str, arguments: list[str]) -> bool:
        """Whether a command lets a service take a new version into use, as our own updates do."""
        services = {one for program in self.programs for one in program.reloads}
        name, signals = path.rpartition("/")[2], _SIGNALS.intersection(arguments)
        told = [word.removesuffix(".service") for word in arguments if not word.startswith("-")]
        if name in _SIGNALERS:
            return bool(signals and told) and all(any(one in word.lower() for one in services) for word in told)
        if name in _ASKERS:
            words = [word for word in told if not word.startswith("/")]
            return bool(words) and services.issuperset(words)
        named = [name] if "/init.d/" in path else []
        if not named and name not in _RELOADERS:
            return False
        verbs = _RELOADING.intersection(told)
        named += [word for word in told if word not in _RELOADING]
        return bool(verbs and named) and services.issuperset(named)

    def _script(self, path: str, depth: int) -> Starts:
        text = self.scripts(path) if path.startswith("/") and depth < _DEEPEST else None
        return Starts.OTHERS if text is None else self.shell(text, depth=depth + 1)


def _started_by(program: Program, arguments: Sequence[str]) -> Starts:
    more = program.does_more(arguments)
    if program.updates(arguments):
        return Starts.BOTH if more else Starts.UPDATER
    return Starts.OTHERS if more else Starts.NOTHING


def _together(parts: Iterable[Starts]) -> Starts:
    found = set(parts)
    updater = any(part.updater for part in found)
    if updater:
        return Starts.BOTH if found & {Starts.BOTH, Starts.OTHERS} else Starts.UPDATER
    return Starts.OTHERS if Starts.OTHERS in found else Starts.NOTHING


def _moved(place: Place, by: int) -> Place:
    return range(place.start + by, place.stop + by) if isinstance(place, range) else place + by


def _stripped(words: Sequence[Word]) -> tuple[Word, ...]:
    """The command without the programs that only start it."""
    words = tuple(words)
    for _round in range(10):
        while words and _ASSIGNED.fullmatch(words[0].text):
            words = words[1:]
        name = words[0].text.rpartition("/")[2] if words else ""
        if name == "start-stop-daemon":
            return _daemon(words)
        if name not in _STARTERS:
            break
        words = _behind(words, *_STARTERS[name])
    return words


def _behind(words: tuple[Word, ...], with_word: str, takes: int) -> tuple[Word, ...]:
    """What follows a starter's own options and words; nothing where it starts nothing."""
    name, at = words[0].text.rpartition("/")[2], 1
    while at < len(words):
        text = words[at].text
        if name == "command" and text in ("-v", "-V"):
            return ()
        if text in ("-c", "--command") and name in ("flock", "runuser"):
            return (Word("sh"), Word("-c"), *words[at + 1 :])
        if text == "--":
            at += 1
            break
        if text in _LONG_WITH_WORD or (len(text) == 2 and text[0] == "-" and text[1] in with_word):
            at += 1
        elif not text.startswith("-") and not (name == "env" and _ASSIGNED.fullmatch(text)):
            break
        at += 1
    rest = words[at + takes :]
    if rest and rest[0].text == "-c" and name == "flock":
        return (Word("sh"), Word("-c"), *rest[1:])
    return rest


def _daemon(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """What start-stop-daemon(8) starts."""
    texts = [word.text for word in words]
    if set(texts) & {"--stop", "-K", "--status", "-T"}:
        return ()
    for option in ("--startas", "-a", "--exec", "-x"):
        if option in texts[:-1]:
            behind = texts.index("--") + 1 if "--" in texts else len(words)
            return (words[texts.index(option) + 1], *words[behind:])
    return ()


def _shell_text(words: Sequence[Word]) -> Word | None:
    """What a shell, or ``su``, gets by ``-c``."""
    name = words[0].text.rpartition("/")[2] if words else ""
    if name not in _SHELLS and name not in ("su", "runuser"):
        return None
    for option, text in zip(words[1:], words[2:]):
        if option.text == "--command" or (option.text[:1] == "-" and option.text[1:2] != "-" and "c" in option.text):
            return text
    return None


def _script_path(words: Sequence[Word]) -> str:
    """The script that a command runs: itself, or what a shell is given."""
    if words[0].text.rpartition("/")[2] not in _SHELLS:
        return words[0].text
    return next((word.text for word in words[1:] if not word.text.startswith("-")), "")
