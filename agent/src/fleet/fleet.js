"use strict";
// Machines carry their verdicts as letters, one for each rule; everything else is made of them when it is asked for.
const id = (name) => document.getElementById(name);
const machines = [...document.querySelectorAll(".machine")];
const laws = [...document.querySelectorAll(".law")];
const byPlace = new Map(laws.map((law) => [Number(law.dataset.n), law]));
const words = new Map(machines.map((row) => [row, row.textContent.toLowerCase()]));
const fields = { show: id("show"), asked: id("asked"), q: id("q") };
const tiles = [...document.querySelectorAll("[data-show]")];
const name = (row) => row.querySelector(".more").textContent;
const visible = () => machines.filter((row) => !row.hidden);
const bad = (letter) => /[feu]/i.test(letter) || (letter >= "A" && letter <= "Z");
const word = (letter) => (/f/i.test(letter) ? "fail" : /[eu]/i.test(letter) ? "error" : "over");
const MOST = 300, RULES = 150;

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function fits(row) {
  const { show, asked, q } = fields;
  if (show.value && !row.dataset.w.split(" ").includes(show.value)) return false;
  if (asked.value && row.dataset.t !== asked.value) return false;
  return q.value.toLowerCase().split(/\s+/).every((word) => words.get(row).includes(word));
}

function filter() {
  let shown = 0;
  for (const row of machines) {
    row.hidden = !fits(row);
    if (row.details) row.details.hidden = row.hidden || !row.details.open;
    if (!row.hidden) shown += 1;
  }
  id("count").value = shown === machines.length ? `${shown} machines` : `${shown} of ${machines.length} machines`;
  id("none").hidden = shown > 0;
  for (const tile of tiles) tile.setAttribute("aria-pressed", String(tile.dataset.show === fields.show.value));
  if (id("matrix").open) draw();
}

function all() {
  fields.show.value = fields.asked.value = fields.q.value = "";
  filter();
}

// What is below a row when it is open: of a machine its rules, of a rule its machines.
function more(row) {
  const list = element("ul");
  if (row.classList.contains("machine")) {
    const found = laws.map((law) => [row.dataset.v[law.dataset.n] || ".", law]).filter(([letter]) => bad(letter));
    for (const wanted of ["fail", "error", "over"]) {
      for (const [, law] of found.filter(([letter]) => word(letter) === wanted)) {
        const item = element("li");
        item.append(element("span", wanted, wanted === "error" ? "error" : "fail"), " ", name(law), " ", element("code", law.dataset.i));
        list.append(item);
      }
    }
  } else {
    const place = row.dataset.n;
    const found = machines.filter((machine) => bad(machine.dataset.v[place] || "."));
    for (const machine of found.slice(0, MOST)) list.append(element("li", name(machine)));
    if (found.length > MOST) list.append(element("li", `and ${found.length - MOST} more`));
  }
  if (!list.firstChild) list.append(element("li", "nothing that is not as it should be"));
  const cell = element("td");
  cell.colSpan = row.cells.length;
  cell.append(list);
  const made = element("tr", undefined, "below");
  made.append(cell);
  return made;
}

function toggle(button) {
  const row = button.closest("tr");
  if (!row.details) { row.details = more(row); row.after(row.details); row.details.open = false; }
  row.details.open = !row.details.open;
  row.details.hidden = !row.details.open;
  button.setAttribute("aria-expanded", String(row.details.open));
}

function draw() {
  const shown = visible();
  const columns = shown.slice(0, MOST);
  const failing = laws.filter((law) => "a" in law.dataset && columns.some((row) => bad(row.dataset.v[law.dataset.n] || ".")));
  const rules = failing.slice(0, RULES);
  id("drawn").textContent = `${rules.length} of ${failing.length} rules, ${columns.length} of ${shown.length} machines, the worst from the left`;
  const table = element("table", undefined, "matrix");
  for (const law of rules) {
    const line = table.insertRow();
    line.append(element("th", law.dataset.i));
    for (const row of columns) {
      const letter = row.dataset.v[law.dataset.n] || ".";
      const cell = line.insertCell();
      cell.className = letter === "." ? "" : `v-${letter.toLowerCase()}`;
      cell.title = `${name(row)}: ${law.dataset.i}`;
    }
  }
  id("grid").replaceChildren(table);
}

function step(by) {
  const list = visible();
  const at = list.indexOf(document.activeElement.closest(".machine"));
  const next = list[at < 0 ? 0 : Math.min(Math.max(at + by, 0), list.length - 1)];
  if (next) next.querySelector(".more").focus();
}

for (const asked of [...new Set(machines.map((row) => row.dataset.t))].sort()) fields.asked.append(new Option(asked, asked));
id("filters").addEventListener("input", filter);
id("filters").addEventListener("submit", (event) => event.preventDefault());
id("reset").addEventListener("click", all);
id("matrix").addEventListener("toggle", () => { if (id("matrix").open) draw(); });
for (const tile of tiles) {
  tile.addEventListener("click", () => {
    fields.show.value = fields.show.value === tile.dataset.show ? "" : tile.dataset.show;
    filter();
  });
}
document.addEventListener("click", (event) => {
  const button = event.target.closest(".more");
  if (button) toggle(button);
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Escape") { all(); fields.q.blur(); return; }
  if (event.target.closest("input, select")) return;
  if (event.key === "/") { event.preventDefault(); fields.q.focus(); fields.q.select(); }
  else if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
});
window.addEventListener("beforeprint", () => { id("matrix").open = true; draw(); });
filter();
