# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table on the screen: its head, its pages, its address, and the theme of the page."""

from __future__ import annotations

TABLE = r"""
const PAGE = 100;
const USUAL = ["name", "domain", "state", "since", "reason", "heard", "versions"];
const byId = (id) => document.getElementById(id);
const table = {filters: new Map(), search: "", sort: "state", descending: false, page: 0, rows: []};
let visible = USUAL.filter((name) => columns.has(name));

function node(tag, properties, ...parts) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...parts);
  return made;
}

function show({keepPage = false} = {}) {
  const searched = [...new Set([...visible, "name", "domain", "reason"])].map((name) => columns.get(name));
  table.rows = sorted(chosen(table.filters, table.search, searched), table.sort, table.descending);
  table.page = keepPage ? Math.min(table.page, Math.max(0, Math.ceil(table.rows.length / PAGE) - 1)) : 0;
  const first = table.page * PAGE;
  const few = table.rows.slice(first, first + PAGE);
  byId("rows").replaceChildren(...few.map(line));
  const total = table.rows.length;
  byId("shown").textContent = total.toLocaleString("en") + " of " + count.toLocaleString("en") + " endpoints"
    + (total === count ? "" : " chosen") + ", as of " + given.at.replace("T", " ").replace("Z", " UTC");
  const last = Math.min(first + PAGE, total);
  byId("place").textContent = total === 0 ? "none" : (first + 1).toLocaleString("en") + " to "
    + last.toLocaleString("en");
  byId("previous").disabled = first === 0;
  byId("next").disabled = last >= total;
  document.querySelectorAll("#head th[data-column]").forEach((head) => {
    const mine = head.dataset.column === table.sort;
    head.setAttribute("aria-sort", mine ? (table.descending ? "descending" : "ascending") : "none");
  });
}

function line(row) {
  return node("tr", {}, ...visible.map((name, place) => {
    const column = columns.get(name);
    const one = cell(column, row);
    const text = one.known ? (column.kind === "instant" ? one.text.replace("T", " ").replace("Z", "") : one.text)
      : "(" + one.text + ")";
    const made = node(place === 0 ? "th" : "td", {className: one.known ? column.kind : "unknown"});
    made.classList.toggle("long", text.length > 40);
    if (place === 0) {
      made.scope = "row";
    }
    if (name === "state") {
      made.append(mark(one.text));
    }
    made.append(name === "state" ? text.replace("_", " ") : text);
    return made;
  }));
}

function mark(state) {
  const made = node("span", {className: "dot " + (given.states.includes(state) ? state : "")});
  made.setAttribute("aria-hidden", "true");
  return made;
}

function head() {
  const titles = visible.map((name) => {
    const button = node("button", {type: "button"}, columns.get(name).title);
    button.addEventListener("click", () => {
      table.descending = table.sort === name && !table.descending;
      table.sort = name;
      change();
    });
    const made = node("th", {scope: "col"}, button);
    made.dataset.column = name;
    return made;
  });
  const inputs = visible.map((name) => {
    const input = node("input", {type: "text", value: table.filters.get(name) || "", placeholder: "filter"});
    input.dataset.filter = name;
    input.setAttribute("aria-label", "filter " + columns.get(name).title);
    input.addEventListener("input", () => { filter(name, input.value); });
    return node("td", {}, input);
  });
  byId("head").replaceChildren(node("tr", {}, ...titles), node("tr", {className: "filters"}, ...inputs));
}

function filter(name, text) {
  if (text === "") {
    table.filters.delete(name);
  } else {
    table.filters.set(name, text);
  }
  controls();
  change();
}

// What stands in the controls is what is chosen, whichever way that was done.
function controls() {
  const plain = (name) => {
    const text = table.filters.get(name) || "";
    return text[0] === "=" ? text.slice(1) : "";
  };
  byId("states").value = plain("state");
  byId("domain").value = plain("domain");
  if (byId("search").value !== table.search) {
    byId("search").value = table.search;
  }
  document.querySelectorAll("#head input").forEach((input) => {
    const text = table.filters.get(input.dataset.filter) || "";
    if (input.value !== text) {
      input.value = text;
    }
  });
}

function change() {
  const told = new URLSearchParams(table.filters);
  if (table.search !== "") {
    told.set("q", table.search);
  }
  if (table.sort !== "state" || table.descending) {
    told.set("sort", (table.descending ? "-" : "") + table.sort);
  }
  try {
    history.replaceState(null, "", "#hosts?" + told);
  } catch (error) {
    // The address is a convenience: where a browser keeps it from a file, the table works all the same.
  }
  show();
}

function see(names) {
  const wanted = [...columns.keys()].filter((name) => names.includes(name));
  visible = [...USUAL.filter((name) => wanted.includes(name)), ...wanted.filter((name) => !USUAL.includes(name))];
  document.querySelectorAll("#columns input").forEach((box) => { box.checked = visible.includes(box.value); });
  head();
}

// The address of a link to endpoints: "#hosts?state=%3Dfailing&sort=-since".
function follow() {
  const [place, told] = location.hash.split("?", 2);
  if (place !== "#hosts" || told === undefined) {
    return;
  }
  const wanted = new URLSearchParams(told);
  table.filters = new Map([...wanted].filter(([name]) => columns.has(name)));
  table.search = wanted.get("q") || "";
  const sort = wanted.get("sort") || "state";
  table.descending = sort[0] === "-";
  table.sort = columns.has(sort.replace(/^-/, "")) ? sort.replace(/^-/, "") : "state";
  see([...visible, ...table.filters.keys(), table.sort]);
  controls();
  show();
  byId("hosts").scrollIntoView();
  byId("scroll").focus({preventScroll: true});
}

function options(select, values, all) {
  select.append(node("option", {value: ""}, all), ...values.map((value) => node("option", {value}, value)));
}

function save() {
  const content = csv(visible.map((name) => columns.get(name)), table.rows);
  const address = URL.createObjectURL(new Blob([content], {type: "text/csv"}));
  const link = node("a", {href: address, download: "endpoints-" + given.at.replace(/:/g, "") + ".csv"});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => { URL.revokeObjectURL(address); }, 1000);
}

function themes() {
  const kinds = ["system", "light", "dark"];
  const button = byId("theme");
  button.hidden = false;
  button.addEventListener("click", () => {
    const next = kinds[(kinds.indexOf(document.documentElement.dataset.theme || "system") + 1) % kinds.length];
    document.documentElement.dataset.theme = next;
    button.textContent = "Theme: " + next;
  });
}

const domains = columns.get("domain").values.filter((path) => path !== "");
const parents = domains.flatMap((path) => path.split("/").map((name, depth, all) => all.slice(0, depth + 1).join("/")));
options(byId("domain"), [...new Set(parents)].sort(collator.compare), "all domains");
options(byId("states"), given.states, "all states");
byId("columns").append(...[...columns.values()].map((column) => {
  const box = node("input", {type: "checkbox", value: column.name});
  box.addEventListener("change", () => {
    see(box.checked ? [...visible, column.name] : visible.filter((name) => name !== column.name));
    show({keepPage: true});
  });
  return node("label", {}, box, " " + column.title);
}));
byId("states").addEventListener("change", (event) => {
  filter("state", event.target.value ? "=" + event.target.value : "");
});
byId("domain").addEventListener("change", (event) => {
  filter("domain", event.target.value ? "=" + event.target.value : "");
});
byId("search").addEventListener("input", (event) => { table.search = event.target.value; change(); });
byId("clear").addEventListener("click", () => {
  table.filters.clear();
  Object.assign(table, {search: "", sort: "state", descending: false});
  see(USUAL);
  controls();
  change();
});
byId("csv").addEventListener("click", save);
byId("previous").addEventListener("click", () => { table.page -= 1; show({keepPage: true}); });
byId("next").addEventListener("click", () => { table.page += 1; show({keepPage: true}); });
window.addEventListener("hashchange", follow);
document.querySelectorAll("time").forEach((one) => { one.title = new Date(one.dateTime).toLocaleString(); });
byId("live").hidden = false;
themes();
see(visible);
show();
follow();
"""
