// Machines carry their verdicts as letters, one for each rule; everything else is made of them when it is asked for.
const machines = [...document.querySelectorAll(".machine")];
const laws = [...document.querySelectorAll(".law")];
const fields = { show: id("show"), asked: id("asked"), q: id("q") };
const name = (row) => row.querySelector(".more").textContent;
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
  const { show, asked } = fields;
  if (show.value && !row.dataset.w.split(" ").includes(show.value)) return false;
  return !asked.value || row.dataset.t === asked.value;
}

function filtered() {
  for (const row of machines) if (row.details) row.details.hidden = row.hidden || !row.details.open;
  if (id("matrix").open) draw();
}

const { visible, filter } = narrow({
  items: machines, noun: "machines", fields, tiled: "show", fits, filtered,
  focus: (row) => row.querySelector(".more").focus(),
});

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

for (const asked of [...new Set(machines.map((row) => row.dataset.t))].sort()) fields.asked.append(new Option(asked, asked));
id("matrix").addEventListener("toggle", () => { if (id("matrix").open) draw(); });
document.addEventListener("click", (event) => {
  const button = event.target.closest(".more");
  if (button) toggle(button);
});
let closed = false;
window.addEventListener("beforeprint", () => { closed = !id("matrix").open; id("matrix").open = true; draw(); });
window.addEventListener("afterprint", () => { if (closed) id("matrix").open = false; });
filter();
