// The fleet page: puts news into the table, and lets the keyboard do everything.
const grid = document.getElementById("fleet-grid");
const search = document.getElementById("search");
const help = document.getElementById("help");
const RELOAD = 4000;
const SIDEWAYS = [".car-scroll", ".fleet-tiles"];
let version, due;

const list = () => document.getElementById("cars");
const drawn = () => document.dispatchEvent(new CustomEvent("cars:drawn"));

// News

document.body.addEventListener("live:rows", ({ detail }) => {
  for (const [id, html] of Object.entries(detail)) patch(document.getElementById(`car-${id}`), html);
  drawn();
});
document.body.addEventListener("live:fleet", ({ detail }) => {
  if (count(detail.counts)) reloadSoon();
});
document.body.addEventListener("live:poll", reload);
document.body.addEventListener("live:resync", renew);

function patch(row, html) {
  if (!row) return;
  const made = document.createElement("template");
  made.innerHTML = html;
  const fresh = made.content.firstElementChild;
  const focused = row.contains(document.activeElement) ? document.activeElement.id : "";
  row.replaceWith(fresh);
  fresh.classList.add("just-changed");
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

// Whether cars may have joined the ones that are shown, or left them.
function count(counts) {
  let moved = false;
  for (const [show, number] of Object.entries(counts)) {
    const place = document.querySelector(`[data-count="${show}"]`);
    if (!place || Number(place.dataset.number) === number) continue;
    const tile = place.closest(".tile");
    moved ||= show === "all" || tile.ariaCurrent === "true";
    place.dataset.number = number;
    place.textContent = number.toLocaleString(document.documentElement.lang);
    tile.classList.toggle(tile.dataset.tone || "no-tone", number > 0);
  }
  return moved;
}

function reloadSoon() {
  due ??= setTimeout(() => {
    due = undefined;
    renew();
  }, RELOAD);
}

// Other cars may be shown now: in the list, and on the map, which has all of its pages.
function renew() {
  reload();
  document.dispatchEvent(new CustomEvent("map:old"));
}

async function reload() {
  const asked = list().dataset.list;
  let response;
  try {
    response = await fetch(asked, { headers: version?.of === asked ? { "X-Version": version.is } : {} });
  } catch {
    return; // the sign says that there is no connection
  }
  if (response.status === 204 || !response.ok) return;
  const is = response.headers.get("X-Version");
  if (!is) return location.reload(); // signed out meanwhile
  const html = await response.text();
  if (list().dataset.list !== asked) return; // other filters were chosen meanwhile
  version = { of: asked, is };
  const focused = list().contains(document.activeElement) ? document.activeElement.id : "";
  const scrolled = SIDEWAYS.map((part) => list().querySelector(part)?.scrollLeft ?? 0);
  list().outerHTML = html;
  htmx.process(list());
  for (const [place, part] of SIDEWAYS.entries()) list().querySelector(part)?.scrollTo({ left: scrolled[place] });
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  drawn();
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id === "cars" || event.detail.elt?.id === "cars") drawn();
});

// List or map, on a small screen one at a time

function choose(show) {
  grid.dataset.show = show;
  for (const button of document.querySelectorAll(".fleet-tabs button")) {
    button.ariaPressed = String(button.dataset.show === show);
  }
  document.dispatchEvent(new CustomEvent("map:resized"));
}

for (const button of document.querySelectorAll(".fleet-tabs button")) {
  button.addEventListener("click", () => choose(button.dataset.show));
}

// Keyboard

const links = () => [...document.querySelectorAll("#car-table [data-car]")];
const row = () => document.activeElement?.closest("#car-table tbody tr");
const press = (id) => document.getElementById(id)?.click();

function step(by) {
  const all = links();
  const now = all.indexOf(row()?.querySelector("[data-car]"));
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
  x: () => row()?.querySelector('input[name="car"]')?.click(),
  f: () => row() && document.dispatchEvent(new CustomEvent("map:follow", { detail: Number(row().dataset.id) })),
  m: () => {
    if (getComputedStyle(document.querySelector(".fleet-tabs")).display !== "none") {
      choose(grid.dataset.show === "map" ? "list" : "map");
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
