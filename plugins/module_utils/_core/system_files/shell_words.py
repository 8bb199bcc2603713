# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simple commands in a shell's text, or in a command of a systemd unit, each word with its place.

This is no shell: nothing is carried out, and what only a shell could know (the result of a command, a variable that
comes from elsewhere) stays as it is written. It never fails: what can't be understood is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..values import field, frozen

_HERE_DOCUMENT = re.compile(r"<<-?[ \t]*\\?(['\"]?)(\w+)\1([^\n]*)\n.*?^\t*\2[ \t]*$", re.DOTALL | re.MULTILINE)
_TOKEN = re.compile(
    r"""(?P<space>(?:[ \t\r]|\\\n)+)
    |(?P<comment>\#[^\n]*)
    |(?P<redirection>\d*(?:>>|>\||<>|<<-?|[<>])&?\d*-?[ \t]*)
    |(?P<cut>\$\(|[;&|()\n`])
    |(?P<word>(?:[^\s;&|()`"'\\<>$]|\\.|\$(?!\()|"(?:\\.|[^"\\])*"|'[^']*')+)
    |(?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)
_UNIT_WORD = re.compile(r"""(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|[^\s"'\\])+""", re.DOTALL)
_QUOTED = re.compile(r"""\\(.)|"((?:\\.|[^"\\])*)"|'([^']*)'""", re.DOTALL)
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_ASSIGNMENT = re.compile(r"(\w+)=(.*)", re.DOTALL)
_KEYWORDS = frozenset(
    ("if", "then", "elif", "else", "while", "until", "do", "!", "{", "}", "time", "fi", "done", "esac")
)
_DECLARING = frozenset(("export", "local", "readonly"))
_OPENING = ("(", "$(", "`")
_DEEPEST = 3


@frozen
class Word:
    """One word without its quotes; ``start`` is where its text begins, None where it is not written literally."""

    text: str
    start: int | None = None


@frozen
class SimpleCommand:
    """A program and its arguments, assignments before it included; ``start`` is where it begins in the text."""

    start: int
    words: tuple[Word, ...]
    functions: frozenset[str] = field(default=frozenset())
    """The functions that were defined before it."""


def shell_commands(text: str, *, depth: int = 0) -> Iterator[SimpleCommand]:
    """The simple commands of a shell's text in their order, those in command substitutions among them."""
    reader = _Reader(_without_here_documents(text))
    yield from reader.commands()
    if depth < _DEEPEST:
        for start, inner in reader.substitutions:
            for command in shell_commands(inner, depth=depth + 1):
                yield _moved(command, start)


def unit_words(text: str) -> tuple[Word, ...]:
    """The words of a command of a unit (systemd.service(5)), its special prefixes gone."""
    words = [_word(found[0], found.start()) for found in _UNIT_WORD.finditer(text)]
    if not words:
        return ()
    bare = words[0].text.lstrip("-@:+!|")
    named = "@" in words[0].text[: len(words[0].text) - len(bare)]
    start = text.find(bare) if bare else None
    return (Word(bare, start), *words[2 if named else 1 :])


class _Reader:
    """One pass over a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words: list[Word] = []
        self._start = 0
        self._outer: list[tuple[str, list[Word], int]] = []
        self._variables: dict[str, str] = {}
        self._functions: set[str] = set()
        self.substitutions: list[tuple[int, str]] = []

    def commands(self) -> Iterator[SimpleCommand]:
        redirected = False
        for token in _TOKEN.finditer(self._text):
            if token.lastgroup == "word":
                if not redirected:
                    self._take(token[0], token.start())
                redirected = False
            elif token.lastgroup == "redirection":
                redirected = token[0].rstrip()[-1] in "<>|"
            elif token.lastgroup == "cut":
                yield from self._cut(token[0])
                redirected = False
        yield from self._end()

    def _take(self, raw: str, start: int) -> None:
        if not self._words and raw in _KEYWORDS:
            return
        if not self._words:
            self._start = start
        if raw[0] != "'" and ("$(" in raw or "`" in raw):
            self.substitutions.extend(_substitutions(raw, start))
        word = _word(raw, start)
        expanded = _VARIABLE.sub(self._known, word.text)
        if expanded == word.text:
            self._words.append(word)
        else:
            self._words.extend(Word(text) for text in ([expanded] if '"' in raw else expanded.split()))
        self._assign()

    def _known(self, found: re.Match[str]) -> str:
        return self._variables.get(found[1] or found[2], found[0])

    def _assign(self) -> None:
        """What follows in the text may be written with it."""
        *before, last = self._words or [Word("")]
        found = _ASSIGNMENT.fullmatch(last.text)
        if found and all(word.text in _DECLARING or _ASSIGNMENT.fullmatch(word.text) for word in before):
            self._variables[found[1]] = found[2]

    def _cut(self, cut: str) -> Iterator[SimpleCommand]:
        if cut == "`":
            cut = ")" if self._outer and self._outer[-1][0] == "`" else "`"
        if cut == ")":
            yield from self._close()
        elif cut in _OPENING:
            self._open(cut)
        else:
            yield from self._end()

    def _open(self, cut: str) -> None:
        if cut == "(" and len(self._words) == 1:
            self._functions.add(self._words[0].text)
            self._words = []
        self._outer.append((cut, self._words, self._start))
        self._words = []

    def _close(self) -> Iterator[SimpleCommand]:
        if not self._outer:
            self._words = []  # a pattern of "case"
            return
        yield from self._end()
        opener, self._words, self._start = self._outer.pop()
        if opener != "(" and not self._words:
            self._words = [Word("")]  # a program whose name only a shell could know

    def _end(self) -> Iterator[SimpleCommand]:
        words, self._words = tuple(self._words), []
        if words:
            yield SimpleCommand(self._start, words, frozenset(self._functions))


def _without_here_documents(text: str) -> str:
    """The text with what is fed to commands blanked out, every place in it as before."""

    def blank(found: re.Match[str]) -> str:
        begin = found.start(3) - found.start()
        kept = found[0][:begin] + found[3] + "\n"
        return kept + " " * (len(found[0]) - len(kept))

    return _HERE_DOCUMENT.sub(blank, text) if "\n" in text and "<<" in text else text


def _word(raw: str, start: int) -> Word:
    if raw[:1] in "'\"" and len(raw) > 1 and raw[-1] == raw[0] and not set(raw[1:-1]) & {"\\", raw[0]}:
        return Word(raw[1:-1], start + 1)
    text = _QUOTED.sub(_unquoted, raw)
    return Word(text, start if text == raw else None)


def _unquoted(found: re.Match[str]) -> str:
    if found[1] is not None:
        return "" if found[1] == "\n" else found[1]
    if found[2] is not None:
        return re.sub(r'\\(["\\$`])', r"\1", found[2])
    return found[3] or ""


def _substitutions(raw: str, start: int) -> Iterator[tuple[int, str]]:
    for found in re.finditer(r"\$\(([^()]*)\)|`([^`]*)`", raw):
        group = 1 if found[1] is not None else 2
        yield start + found.start(group), found[group]


def _moved(command: SimpleCommand, by: int) -> SimpleCommand:
    words = tuple(Word(word.text, None if word.start is None else word.start + by) for word in command.words)
    return SimpleCommand(command.start + by, words, command.functions)
