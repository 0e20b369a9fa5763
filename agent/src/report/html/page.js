"use strict";
// What every page has: items that fields and a search narrow down, tiles that set one of the fields, keys to walk from item to item.
const id = (name) => document.getElementById(name);

// `items` are elements and `noun` says what they are called, `fields` are the form's (`q` is the search, `tiled` names the one of the tiles),
// `fits` tells whether an item goes with the fields but the search, `filtered` is called when items came or went, `focus` goes to an item.
function narrow({ items, noun, fields, tiled, fits, filtered, focus }) {
  const words = new Map(items.map((item) => [item, item.textContent.toLowerCase()]));
  const tiles = [...document.querySelectorAll("[data-show]")];
  const visible = () => items.filter((item) => !item.hidden);

  function filter() {
    const searched = fields.q.value.toLowerCase().split(/\s+/);
    for (const item of items) item.hidden = !(fits(item) && searched.every((word) => words.get(item).includes(word)));
    const shown = visible().length;
    id("count").value = shown === items.length ? `${shown} ${noun}` : `${shown} of ${items.length} ${noun}`;
    id("none").hidden = shown > 0;
    for (const tile of tiles) tile.setAttribute("aria-pressed", String(tile.dataset.show === fields[tiled].value));
    filtered();
  }

  function all() {
    for (const field of Object.values(fields)) {
      if (field.type === "checkbox") field.checked = false;
      else field.value = "";
    }
    filter();
  }

  function step(by) {
    const list = visible();
    const at = list.findIndex((item) => item.contains(document.activeElement));
    const next = list[at < 0 ? 0 : Math.min(Math.max(at + by, 0), list.length - 1)];
    if (next) focus(next);
  }

  id("filters").addEventListener("input", filter);
  id("filters").addEventListener("submit", (event) => event.preventDefault());
  id("reset").addEventListener("click", all);
  for (const tile of tiles) {
    tile.addEventListener("click", () => {
      fields[tiled].value = fields[tiled].value === tile.dataset.show ? "" : tile.dataset.show;
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
  return { visible, filter, all };
}
