// The vehicles page: live updates of the table, and keyboard shortcuts.
const grid = document.getElementById("fleet-grid");
const search = document.getElementById("search");
const help = document.getElementById("help");
const RELOAD = 4000;
const AGING = 300_000; // states become too old, and vehicles stop reporting, without an event
const SCROLLED_PARTS = [".vehicle-scroll", ".fleet-tiles"];
let version, reloadTimer, lastCounts;

const list = () => document.getElementById("vehicles");
const afterPress = (element, action) => document.dispatchEvent(new CustomEvent("after-press", { detail: { element, action } }));
const tableUpdated = () => document.dispatchEvent(new CustomEvent("table:updated"));

// Live updates

document.body.addEventListener("stream:rows", ({ detail }) => {
  for (const [id, html] of Object.entries(detail)) update(`vehicle-${id}`, html);
});
document.body.addEventListener("stream:fleet", ({ detail }) => {
  if (updateCounts(detail.counts)) reloadSoon();
});
document.body.addEventListener("stream:poll", reload);
document.body.addEventListener("stream:resync", reloadAll);
setInterval(() => document.hidden || reloadAll(), AGING);

function update(id, html) {
  const row = document.getElementById(id);
  if (row) afterPress(row, () => patch(document.getElementById(id), html));
}

function patch(row, html) {
  if (!row) return;
  const template = document.createElement("template");
  template.innerHTML = html;
  const fresh = template.content.firstElementChild;
  const focused = row.contains(document.activeElement) ? document.activeElement.id : "";
  row.replaceWith(fresh);
  fresh.classList.add("just-changed");
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  tableUpdated();
}

// Updates the counts on the tiles. Returns whether the list of shown vehicles may have changed. The counts are those of the
// whole fleet: while a search or filter is active, the list's own counts are loaded instead.
function updateCounts(counts) {
  let listChanged = false;
  if ("narrowed" in list().dataset) {
    const changed = lastCounts !== JSON.stringify(counts);
    lastCounts = JSON.stringify(counts);
    return changed;
  }
  for (const [show, number] of Object.entries(counts)) {
    const place = document.querySelector(`[data-count="${show}"]`);
    if (!place || Number(place.dataset.number) === number) continue;
    const tile = place.closest(".tile");
    // The column with the reasons is shown while any vehicle needs attention.
    const appears = show === "attention" && !Number(place.dataset.number) !== !number;
    listChanged ||= show === "all" || appears || tile.ariaCurrent === "true";
    place.dataset.number = number;
    place.textContent = number.toLocaleString(document.documentElement.lang);
    tile.classList.toggle(tile.dataset.tone || "no-tone", number > 0);
    tile.classList.toggle("tile-none", number === 0);
  }
  return listChanged;
}

function reloadSoon() {
  reloadTimer ??= setTimeout(() => {
    reloadTimer = undefined;
    reloadAll();
  }, RELOAD);
}

// Reloads the list, and the map, which shows the vehicles of all pages.
function reloadAll() {
  reload();
  document.dispatchEvent(new CustomEvent("map:stale"));
}

async function reload() {
  const requestedUrl = list().dataset.list;
  let response;
  try {
    response = await fetch(requestedUrl, { headers: version?.of === requestedUrl ? { "X-Version": version.is } : {} });
  } catch {
    return; // the live indicator shows that there is no connection
  }
  if (response.status === 204 || !response.ok) return;
  const is = response.headers.get("X-Version");
  if (!is) return location.reload(); // the user was signed out
  const html = await response.text();
  afterPress(list(), () => replaceList(requestedUrl, is, html));
}

function replaceList(requestedUrl, is, html) {
  if (list().dataset.list !== requestedUrl) return; // the filters have changed in the meantime
  version = { of: requestedUrl, is };
  const focused = list().contains(document.activeElement) ? document.activeElement.id : "";
  const scrolled = SCROLLED_PARTS.map((part) => list().querySelector(part)?.scrollLeft ?? 0);
  list().outerHTML = html;
  htmx.process(list());
  for (const [place, part] of SCROLLED_PARTS.entries()) list().querySelector(part)?.scrollTo({ left: scrolled[place] });
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  tableUpdated();
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id === "vehicles" || event.detail.elt?.id === "vehicles") tableUpdated();
});

// Links that remove a filter also empty its field, which is outside of the list. Without a name they concern all fields.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-unset]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const query = new URL(link.href).searchParams;
  for (const field of document.querySelectorAll("#search, #filters select")) {
    if (!link.dataset.unset || field.id === link.dataset.unset) field.value = query.get(field.name) ?? "";
  }
}, true);

// List or map: small screens show one at a time

function showPane(show) {
  grid.dataset.show = show;
  for (const button of document.querySelectorAll(".fleet-tabs button")) {
    button.ariaPressed = String(button.dataset.show === show);
  }
  document.dispatchEvent(new CustomEvent("map:resized"));
}

for (const button of document.querySelectorAll(".fleet-tabs button")) {
  button.addEventListener("click", () => showPane(button.dataset.show));
}

// The phone's bar links to the map.
const paneOfUrl = () => showPane(location.hash === "#map" ? "map" : "list");
addEventListener("hashchange", paneOfUrl);
if (location.hash === "#map") paneOfUrl();

// Keyboard

const links = () => [...document.querySelectorAll("#vehicle-table [data-vehicle]")];
const row = () => document.activeElement?.closest("#vehicle-table tbody tr");
const press = (id) => document.getElementById(id)?.click();

function step(by) {
  const all = links();
  const now = all.indexOf(row()?.querySelector("[data-vehicle]"));
  const next = all[now < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, now + by))];
  next?.focus();
  next?.closest("tr").scrollIntoView({ block: "nearest" });
}

const KEYS = {
  "/": () => {
    search.focus();
    search.select();
  },
  "?": () => help.showModal(),
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  j: () => step(1),
  k: () => step(-1),
  x: () => row()?.querySelector('input[name="vehicle"]')?.click(),
  f: () => row() && document.dispatchEvent(new CustomEvent("map:follow", { detail: Number(row().dataset.id) })),
  m: () => {
    if (getComputedStyle(document.querySelector(".fleet-tabs")).display !== "none") {
      showPane(grid.dataset.show === "map" ? "list" : "map");
    } else {
      grid.toggleAttribute("data-no-map");
      document.dispatchEvent(new CustomEvent("map:resized"));
    }
  },
  n: () => press("page-after"),
  p: () => press("page-before"),
};

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (target === search) {
    if (key === "Escape") search.blur();
    else if (key === "ArrowDown") step(1);
    else return;
    return event.preventDefault();
  }
  const typing = target.matches("input:not([type=checkbox]), textarea, select, [contenteditable]");
  if (typing || target.closest(".maplibregl-map, details[open].menu") || !KEYS[key]) return;
  event.preventDefault();
  KEYS[key]();
});
document.querySelector("[data-help]").addEventListener("click", () => help.showModal());
help.addEventListener("click", (event) => event.target.closest("[data-close]") && help.close());
