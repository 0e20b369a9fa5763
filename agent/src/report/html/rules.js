// Filters, search and keys over the rules that are in the page.
const rules = [...document.querySelectorAll(".rule")];
const fields = { result: id("result"), severity: id("severity"), section: id("section"), excepted: id("excepted"), q: id("q") };

function fits(rule) {
  const { result, severity, section, excepted } = fields;
  const d = rule.dataset;
  if (result.value === "attention" ? !("a" in d) : result.value && d.r !== result.value) return false;
  if (severity.value && d.s !== severity.value) return false;
  if (section.value && d.c !== section.value) return false;
  return !excepted.checked || "x" in d;
}

const { visible, filter, all } = narrow({
  items: rules, noun: "rules", fields, tiled: "result", fits, filtered: () => {},
  focus: (rule) => rule.firstElementChild.focus(),
});

function show(rule) {
  if (rule.hidden) all();
  rule.open = true;
  rule.scrollIntoView({ block: "start" });
  rule.firstElementChild.focus();
}

function linked() {
  const rule = location.hash.length > 1 && id(decodeURIComponent(location.hash.slice(1)));
  if (rule && rule.classList.contains("rule")) show(rule);
}

id("open").addEventListener("click", () => {
  const list = visible();
  const open = list.some((rule) => !rule.open);
  for (const rule of list) rule.open = open;
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
