# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands of a definition: what is started, as whom, for how long, and what their endings mean."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from ..policy.enums import DAY
from ..untrusted_text import LONGEST_WORD
from ..validation.errors import ValidationErrors, show
from ..validation.parsers import InvalidValue, Parser, boolean, choice, duration, integer, listing, read_mapping
from ..validation.strings import account, argument, line, path
from ..values import field, frozen
from .arguments import PATHS, command
from .dates import date_format
from .meanings import WORDS, Ending, Meaning, OutputRule, Rule
from .patterns import first_match, lines_of, pattern

_LONGEST_WAIT = 7 * DAY
_MOST = 20
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_FIXED = ("PATH", "LC_ALL", "LD_PRELOAD", "LD_LIBRARY_PATH")
_TIMES = ("until", "seconds", "minutes", "hours")
_UNITS: Mapping[str, int] = {"seconds": 1, "minutes": 60, "hours": 3600}


@frozen
class Step:
    """One command. ``secrets`` are environment variables by name, each with the file that holds its value.

    ``timeout`` is seconds. An ``optional`` one is left out where its program is not there. ``exit_codes`` that are not
    named mean that the command has failed. ``findings`` is the pattern of a line that a scan prints for what it has
    found.
    """

    command: tuple[str, ...]
    user: str = ""
    timeout: int = 600
    optional: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    exit_codes: Mapping[int, Rule] = field(default_factory=dict)
    outputs: tuple[OutputRule, ...] = ()
    findings: re.Pattern[str] | None = None


def read_step(raw: object, where: str, errors: ValidationErrors, names: Collection[str], *, scan: bool = False) -> Step:
    """Read one command of a definition in which these placeholders are known; what is wrong becomes errors."""
    known: dict[str, Parser] = {
        "command": command((*names, PATHS) if scan else names),
        "user": account,
        "timeout": duration(1, DAY),
        "optional": boolean,
        "environment": _environment(argument),
        "secrets": _environment(path),
        "exit_codes": _as_is,
        "outputs": _as_is,
    }
    if scan:
        known["findings"] = pattern(needs=("name",), allows=("path",))
    values = read_mapping(raw, path=where, known=known, errors=errors)
    if isinstance(raw, dict) and "command" not in raw:
        errors.add(f"{where}.command", "", "the argument list of a program")
    codes = values.get("exit_codes", {"0": Meaning.OK.value})
    values["exit_codes"] = _exit_codes(codes, f"{where}.exit_codes", errors)
    values["outputs"] = _outputs(values.get("outputs", []), f"{where}.outputs", errors)
    step = Step(**{"command": (), **values})
    rules = (*step.exit_codes.values(), *(one.rule for one in step.outputs))
    if not scan and any(one.means is Meaning.FOUND for one in rules):
        errors.add(where, '"found"', "a meaning that commands other than scan can have")
    return step


def read_steps(raw: object, where: str, errors: ValidationErrors, names: Collection[str]) -> tuple[Step, ...]:
    """Read a list of commands that run one after the other."""
    if not isinstance(raw, list) or len(raw) > _MOST:
        errors.add(where, show(raw), f"a list of at most {_MOST} commands")
        return ()
    return tuple(read_step(one, f"{where}[{index}]", errors, names) for index, one in enumerate(raw))


def ending_of(step: Step, code: int, output: str, now: float) -> Ending:
    """What an exit code with this output means: the first rule for a line of output, else that for the code."""
    lines = lines_of(output)
    for one in step.outputs:
        found = first_match(one.pattern, lines) if code in (one.exit_codes or (code,)) else None
        if found is not None:
            until = _until(found, one, now)
            return _ending(one.rule, now if until is None and one.rule.wait else None, until)
    rule = step.exit_codes.get(code)
    if rule is None:
        return Ending(Meaning.FAILED)
    return _ending(rule, now)


def _ending(rule: Rule, now: float | None, until: int | None = None) -> Ending:
    if until is None and now is not None and rule.wait:
        until = int(now) + rule.wait
    return Ending(rule.means, rule.why or WORDS[rule.means], until)


def _until(found: re.Match[str], one: OutputRule, now: float) -> int | None:
    """The end of a cool-down as a line tells it, a week ahead at most; None where it tells none."""
    from .dates import read_date

    groups = found.groupdict()
    if groups.get("until"):
        at = read_date(groups["until"], one.time_format, now, future=True)
        return at if at is not None and now <= at <= now + _LONGEST_WAIT else None
    told = [int(groups[name]) * unit for name, unit in _UNITS.items() if (groups.get(name) or "").isdecimal()]
    return int(now) + min(sum(told), _LONGEST_WAIT) if told else None


def _exit_codes(raw: object, where: str, errors: ValidationErrors) -> dict[int, Rule]:
    if not isinstance(raw, dict) or len(raw) > 256:
        errors.add(where, show(raw), 'a mapping of exit codes and their meanings ({"1": current})')
        return {}
    found = {}
    for key, one in raw.items():
        code = int(key) if isinstance(key, str) and key.isascii() and key.isdecimal() and len(key) < 4 else -1
        if not 0 <= code <= 255:
            errors.add(f"{where}[{show(key)}]", show(key), "an exit code from 0 to 255")
        found[code] = _rule(one, f"{where}.{key}", errors)
    return found


def _rule(raw: object, where: str, errors: ValidationErrors, **more: Parser) -> Rule:
    if isinstance(raw, dict):
        values = read_mapping(raw, path=where, known={**_RULE, **more}, errors=errors)
        if "means" not in raw:
            errors.add(f"{where}.means", "", _meanings())
        return _rule_of(values) if "means" in values else _SOME
    try:
        return Rule(_meaning(raw))
    except InvalidValue as unfit:
        unfit.report(errors, where, raw)
        return _SOME


def _rule_of(values: Mapping[str, Any]) -> Rule:
    return Rule(values["means"], values.get("reason", ""), values.get("wait"))


def _outputs(raw: object, where: str, errors: ValidationErrors) -> tuple[OutputRule, ...]:
    if not isinstance(raw, list) or len(raw) > 50:
        errors.add(where, show(raw), "a list of at most 50 patterns with their meanings")
        return ()
    found = []
    for index, one in enumerate(raw):
        place = f"{where}[{index}]"
        values = read_mapping(one, path=place, known={**_RULE, **_OUTPUT}, errors=errors)
        for name in ("pattern", "means"):
            if isinstance(one, dict) and name not in one:
                errors.add(f"{place}.{name}", "", "there")
        if "pattern" not in values or "means" not in values:
            continue
        if "until" in values["pattern"].groupindex and "time_format" not in values:
            errors.add(f"{place}.time_format", "", "the format of the time in the group until")
        rule = _rule_of(values)
        found.append(OutputRule(rule=rule, **{name: values[name] for name in _OUTPUT if name in values}))
    return tuple(found)


def _meaning(raw: object) -> Meaning:
    found: Meaning = choice(Meaning)(raw)
    return found


def _meanings() -> str:
    return "one of " + ", ".join(one.value for one in Meaning)


def _environment(parser: Parser) -> Parser:
    def parse(raw: object) -> dict[str, str]:
        if not isinstance(raw, dict) or len(raw) > _MOST:
            raise InvalidValue("a mapping of environment variables")
        for name in raw:
            if not isinstance(name, str) or not _VARIABLE.fullmatch(name) or name in _FIXED:
                raise InvalidValue(f"names of environment variables other than {', '.join(_FIXED)}", found=show(name))
        return {name: parser(one) for name, one in raw.items()}

    return parse


def _sentence(raw: object) -> str:
    text = line(raw, "a sentence")
    if len(text) > LONGEST_WORD:
        raise InvalidValue(f"a sentence of at most {LONGEST_WORD} characters")
    return text


def _as_is(raw: object) -> object:
    return raw


_SOME = Rule(Meaning.FAILED)
_RULE: Mapping[str, Any] = {"means": _meaning, "reason": _sentence, "wait": duration(1, _LONGEST_WAIT)}
_OUTPUT: Mapping[str, Any] = {
    "pattern": pattern(allows=_TIMES),
    "exit_codes": listing(integer(0, 255), least=1),
    "time_format": date_format,
}
