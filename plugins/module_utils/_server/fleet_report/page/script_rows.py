# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows of the table: which of them a filter chooses, and in which order they are."""

from __future__ import annotations

ROWS = r"""
const given = JSON.parse(document.getElementById("data").textContent);
const columns = new Map(given.hosts.columns.map((one) => [one.name, one]));
const count = given.hosts.count;
const collator = new Intl.Collator("en", {numeric: true});
const fold = (text) => String(text).toLowerCase();
const never = () => false;

function cell(column, row) {
  const code = column.codes[row];
  return code >= 0 ? {known: true, text: String(column.values[code])} : {known: false, text: column.missing[-1 - code]};
}

// What a filter's text means for the values of a column, and for the reasons of those that are missing.
function matcher(column, text) {
  if (text.length > 1 && text[0] === "!") {
    const but = matcher(column, text.slice(1));
    const missing = text[1] === "?" ? (reason) => !but.missing(reason) : never;
    return {value: (value) => !but.value(value), missing};
  }
  if (text[0] === "?") {
    const why = fold(text.slice(1));
    return {value: never, missing: (reason) => fold(reason).includes(why)};
  }
  return {value: valueMatcher(column, text), missing: never};
}

function valueMatcher(column, text) {
  if (text[0] === "=") {
    const exact = text.slice(1);
    const below = column.name === "domain" && exact ? exact + "/" : null;
    return (value) => String(value) === exact || (below !== null && value.startsWith(below));
  }
  if (text.length > 1 && (text[0] === "<" || text[0] === ">")) {
    const numeric = column.kind !== "text" && column.kind !== "instant";
    const bound = numeric ? Number(text.slice(1)) : text.slice(1).trim();
    return text[0] === "<" ? (value) => value < bound : (value) => value > bound;
  }
  const range = /^(-?\d*\.?\d*)\.\.(-?\d*\.?\d*)$/.exec(text);
  if (range && column.kind !== "text") {
    const from = range[1] === "" ? -Infinity : Number(range[1]);
    const to = range[2] === "" ? Infinity : Number(range[2]);
    return (value) => value >= from && value < to;
  }
  const part = fold(text);
  return (value) => fold(value).includes(part);
}

// Each distinct value is looked at once, whatever the number of rows.
function verdicts(column, text) {
  const one = matcher(column, text);
  return {column, values: column.values.map(one.value), missing: column.missing.map(one.missing)};
}

function holds(verdict, row) {
  const code = verdict.column.codes[row];
  return code >= 0 ? verdict.values[code] : verdict.missing[-1 - code];
}

function chosen(filters, search, searched) {
  const all = [...filters].map(([name, text]) => verdicts(columns.get(name), text));
  const any = search === "" ? [] : searched.map((column) => {
    const part = fold(search);
    return {column, values: column.values.map((value) => fold(value).includes(part)),
      missing: column.missing.map(never)};
  });
  const found = [];
  for (let row = 0; row < count; row += 1) {
    if (all.every((one) => holds(one, row)) && (any.length === 0 || any.some((one) => holds(one, row)))) {
      found.push(row);
    }
  }
  return found;
}

// The place of each value among the values of its column.
function ranks(column) {
  if (!column.ranks) {
    const order = column.values.map((value, index) => index);
    const values = column.values;
    if (column.name === "state") {
      order.sort((a, b) => given.states.indexOf(values[a]) - given.states.indexOf(values[b]));
    } else if (column.kind === "text") {
      order.sort((a, b) => collator.compare(values[a], values[b]));
    } else {
      order.sort((a, b) => (values[a] < values[b] ? -1 : values[a] > values[b] ? 1 : 0));
    }
    column.ranks = new Int32Array(values.length);
    order.forEach((index, rank) => { column.ranks[index] = rank; });
  }
  return column.ranks;
}

// What is not known comes last either way; equal rows stay in the order of names.
function sorted(rows, name, descending) {
  const column = columns.get(name);
  const rank = ranks(column);
  const sign = descending ? -1 : 1;
  const keys = new Int32Array(count);
  rows.forEach((row) => { keys[row] = column.codes[row] >= 0 ? sign * rank[column.codes[row]] : count + 1; });
  return rows.sort((a, b) => keys[a] - keys[b] || a - b);
}

// A spreadsheet runs a text that begins like a formula.
function csvField(column, row) {
  const one = cell(column, row);
  const text = one.known ? one.text : "(" + one.text + ")";
  const plain = one.known && column.kind !== "text";
  const safe = !plain && /^[=+\-@\t\r]/.test(text) ? "'" + text : text;
  return /[",\r\n]/.test(safe) ? '"' + safe.replace(/"/g, '""') + '"' : safe;
}

function csv(shown, rows) {
  const lines = [shown.map((column) => '"' + column.title.replace(/"/g, '""') + '"').join(",")];
  rows.forEach((row) => lines.push(shown.map((column) => csvField(column, row)).join(",")));
  return lines.join("\r\n") + "\r\n";
}
"""
