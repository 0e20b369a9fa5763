"use strict";
// Filters, search and keys over the rules that are in the page.
const id = (name) => document.getElementById(name);
const rules = [...document.querySelectorAll(".rule")];
const words = new Map(rules.map((rule) => [rule, rule.textContent.toLowerCase()]));
const fields = { result: id("result"), severity: id("severity"), section: id("section"), excepted: id("excepted"), q: id("q") };
const tiles = [...document.querySelectorAll("[data-show]")];
const visible = () => rules.filter((rule) => !rule.hidden);

function fits(rule) {
  const { result, severity, section, excepted } = fields;
  const d = rule.dataset;
  if (result.value === "attention" ? !("a" in d) : result.value && d.r !== result.value) return false;
  if (severity.value && d.s !== severity.value) return false;
  if (section.value && d.c !== section.value) return false;
  if (excepted.checked && !("x" in d)) return false;
  const text = words.get(rule);
  return fields.q.value.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function filter() {
  let shown = 0;
  for (const rule of rules) {
    rule.hidden = !fits(rule);
    if (!rule.hidden) shown += 1;
  }
  id("count").value = shown === rules.length ? `${shown} rules` : `${shown} of ${rules.length} rules`;
  id("none").hidden = shown > 0;
  for (const tile of tiles) tile.setAttribute("aria-pressed", String(tile.dataset.show === fields.result.value));
}

function all() {
  fields.result.value = fields.severity.value = fields.section.value = fields.q.value = "";
  fields.excepted.checked = false;
  filter();
}

function show(rule) {
  if (rule.hidden) all();
  rule.open = true;
  rule.scrollIntoView({ block: "start" });
  rule.firstElementChild.focus();
}

function step(by) {
  const list = visible();
  const at = list.indexOf(document.activeElement.closest(".rule"));
  const next = list[at < 0 ? 0 : Math.min(Math.max(at + by, 0), list.length - 1)];
  if (next) next.firstElementChild.focus();
}

function linked() {
  const rule = location.hash.length > 1 && id(decodeURIComponent(location.hash.slice(1)));
  if (rule && rule.classList.contains("rule")) show(rule);
}

id("filters").addEventListener("input", filter);
id("filters").addEventListener("submit", (event) => event.preventDefault());
id("reset").addEventListener("click", all);
id("open").addEventListener("click", () => {
  const list = visible();
  const open = list.some((rule) => !rule.open);
  for (const rule of list) rule.open = open;
});
for (const tile of tiles) {
  tile.addEventListener("click", () => {
    fields.result.value = fields.result.value === tile.dataset.show ? "" : tile.dataset.show;
    filter();
  });
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Escape") { all(); fields.q.blur(); return; }
  if (event.target.closest("input, select")) return;
  if (event.key === "/") { event.preventDefault(); fields.q.focus(); fields.q.select(); }
  else if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^=\"#r-\"]");
  if (link) { event.preventDefault(); history.replaceState(null, "", link.hash); linked(); }
});
window.addEventListener("hashchange", linked);
// On paper nothing can be opened: what wants attention is printed with its evidence.
let closed = [];
window.addEventListener("beforeprint", () => {
  closed = visible().filter((rule) => !rule.open && ("a" in rule.dataset || "x" in rule.dataset));
  for (const rule of closed) rule.open = true;
});
window.addEventListener("afterprint", () => { for (const rule of closed) rule.open = false; });
filter();
linked();
