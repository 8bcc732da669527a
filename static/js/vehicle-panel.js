// The panel with one vehicle beside the list. The URL names its vehicle, so that reloading and going back work. On phones,
// links open the vehicle's page instead.
const grid = document.getElementById("fleet-grid");
const host = document.getElementById("panel-host");
const WIDE = matchMedia("(width >= 768px)");
let requested; // the vehicle whose panel is shown or being loaded

const panel = () => document.getElementById("side-panel");
const linkTo = (vehicle) => document.querySelector(`#vehicle-table [data-vehicle="${CSS.escape(vehicle)}"]`);
const inUrl = () => new URL(location.href).searchParams.get("vehicle");

function urlWith(vehicle) {
  const url = new URL(location.href);
  if (vehicle) url.searchParams.set("vehicle", vehicle);
  else url.searchParams.delete("vehicle");
  return url;
}

async function show(vehicle, { focus = false } = {}) {
  requested = vehicle;
  const response = await fetch(host.dataset.url.replace("/-/", `/${encodeURIComponent(vehicle)}/`)).catch(() => null);
  const html = response?.ok && !response.redirected ? await response.text() : "";
  if (requested !== vehicle) return; // another one was chosen in the meantime, or none
  if (!html) return hide();
  host.innerHTML = html;
  host.hidden = false;
  htmx.process(host);
  grid.toggleAttribute("data-panel", true);
  mark();
  document.dispatchEvent(new CustomEvent("map:resized"));
  document.dispatchEvent(new CustomEvent("panel:changed"));
  if (focus) document.getElementById("side-panel-title").focus({ preventScroll: true });
}

function hide() {
  requested = undefined;
  host.hidden = true;
  host.replaceChildren();
  grid.removeAttribute("data-panel");
  mark();
  document.dispatchEvent(new CustomEvent("map:resized"));
  document.dispatchEvent(new CustomEvent("panel:changed"));
}

function open(vehicle) {
  if (inUrl() !== vehicle) history.pushState(null, "", urlWith(vehicle));
  show(vehicle, { focus: true });
}

function close() {
  const link = requested && linkTo(requested);
  history.pushState(null, "", urlWith(null));
  hide();
  (link ?? document.getElementById("search")).focus({ preventScroll: true });
}

// Marks the row of the shown vehicle, also after the table was replaced.
function mark() {
  for (const row of document.querySelectorAll("#vehicle-table .is-open")) row.classList.remove("is-open");
  if (requested) linkTo(requested)?.closest("tr").classList.add("is-open");
}

const refresh = () => panel() && htmx.trigger(panel(), "panel:refresh");

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-panel-close]")) return close();
  if (event.target.closest("[data-panel-follow]")) {
    return document.dispatchEvent(new CustomEvent("map:follow", { detail: Number(panel().dataset.id) }));
  }
  const link = event.target.closest("#vehicle-table [data-vehicle]");
  const otherWay = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
  if (!link || otherWay || !WIDE.matches) return;
  event.preventDefault();
  open(link.dataset.vehicle);
});

// From the map. Prevented, so that the map shows no popup.
document.addEventListener("panel:open", (event) => {
  if (!WIDE.matches) return;
  event.preventDefault();
  open(event.detail);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !requested || event.defaultPrevented) return;
  if (document.querySelector("dialog[open]") || event.target.closest("input:not([type=checkbox]), select, details[open].menu")) return;
  close();
});

window.addEventListener("popstate", () => {
  const vehicle = inUrl();
  if (!vehicle) hide();
  else if (vehicle !== requested) show(vehicle);
});

// New filters get a URL of their own; the panel stays open.
document.addEventListener("htmx:pushedIntoHistory", () => {
  if (requested) history.replaceState(history.state, "", urlWith(requested));
});
document.addEventListener("table:updated", mark);
document.addEventListener("command:created", ({ detail }) => {
  const place = document.getElementById("side-panel-problem");
  if (!place) return;
  place.textContent = detail?.problem ?? "";
  place.hidden = !detail?.problem;
  if (!detail?.problem) refresh();
});
document.body.addEventListener("stream:fleet", ({ detail }) => {
  const id = Number(panel()?.dataset.id);
  if (detail.gone.includes(id) || detail.vehicles.some(([vehicle]) => vehicle === id)) refresh();
});
for (const name of ["stream:poll", "stream:resync"]) document.body.addEventListener(name, refresh);

if (inUrl() && WIDE.matches) show(inUrl());
