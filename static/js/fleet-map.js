// The map of the vehicles page: the vehicles that match the list's filters, in clusters, updated live.
const element = document.getElementById("fleet-map");
const query = (name) => document.querySelector(name);
const DRAW = 1000;
const POLL = 15_000; // without a stream; the list is polled more often, as it is a hundredth of the size
const vehicles = new Map();
let FIT, map, maplibre, popup, address, followed, selected = [], drawTimer, pendingMove, loaded = 0;

const list = () => document.getElementById("vehicles");

if (element?.checkVisibility()) start();
else if (element) {
  // On a phone the map is in a tab, and its library isn't loaded before the tab is opened.
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    start();
  });
  seen.observe(element);
}

async function start() {
  const { dataset } = element;
  document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: dataset.styles }));
  let base, markers;
  try {
    // Their URLs are hashed and known only to the page.
    [base, markers] = await Promise.all([import(dataset.module), import(dataset.marks), load()]);
    ({ map, maplibre } = await base.makeMap(element, { bounds: box([...vehicles.values()]) }));
  } catch (error) {
    fail();
    throw error;
  } finally {
    query("[data-map-words]")?.remove();
  }
  FIT = base.FIT;
  markers.provideMarkers(map);
  addLayers();
  base.onTheme(repaint);
  draw();
  document.addEventListener("table:updated", reloadIfFiltersChanged);
  document.addEventListener("map:stale", load);
  document.body.addEventListener("stream:poll", () => Date.now() - loaded > POLL && load());
  document.addEventListener("map:follow", ({ detail }) => follow(detail));
  document.addEventListener("map:resized", resize);
  document.addEventListener("panel:changed", showOpened);
  document.body.addEventListener("stream:fleet", ({ detail }) => applyUpdate(detail));
  document.addEventListener("vehicles:selected", ({ detail }) => setSelected(detail));
  query("[data-fit]").addEventListener("click", () => fit());
  query("[data-unfollow]").addEventListener("click", () => follow(null));
}

function addLayers() {
  const empty = { type: "FeatureCollection", features: [] };
  const alarmed = ["+", ["case", ["==", ["get", "mark"], "unlocked"], 1, 0]];
  const shared = { type: "symbol", source: "vehicles" };
  map.addSource("vehicles", {
    type: "geojson", data: empty, cluster: true, clusterRadius: 42, clusterMaxZoom: 13, clusterProperties: { alarmed },
  });
  map.addSource("chosen", { type: "geojson", data: empty });
  map.addLayer({
    id: "chosen", type: "circle", source: "chosen",
    paint: {
      "circle-radius": 15, "circle-color": "transparent", "circle-stroke-width": 2.5,
      "circle-stroke-color": selectedColor(),
    },
  });
  map.addLayer({
    ...shared, id: "vehicles", filter: ["!", ["has", "point_count"]],
    layout: {
      "icon-image": ["concat", "mark-", ["get", "mark"]],
      "icon-rotate": ["case", ["==", ["get", "mark"], "moving"], ["get", "heading"], 0],
      "icon-rotation-alignment": "map", "icon-allow-overlap": true, "icon-ignore-placement": true,
    },
  });
  map.addLayer({
    ...shared, id: "clusters", filter: ["has", "point_count"],
    layout: {
      "icon-image": [
        "concat", "cluster-", ["to-string", ["get", "point_count_abbreviated"]],
        ["case", [">", ["get", "alarmed"], 0], "-alarmed", ""],
      ],
      "icon-allow-overlap": true, "icon-ignore-placement": true,
    },
  });
  for (const layer of ["vehicles", "clusters"]) {
    map.on("mouseenter", layer, () => (map.getCanvas().style.cursor = "pointer"));
    map.on("mouseleave", layer, () => (map.getCanvas().style.cursor = ""));
  }
  map.on("click", "vehicles", ({ features }) => showPopup(features[0].properties.id));
  map.on("click", "clusters", ({ features }) => open(features[0]));
  map.on("dragstart", () => follow(null));
}

const selectedColor = () => getComputedStyle(document.documentElement).getPropertyValue("--mark-chosen").trim();

// Removed markers are drawn again when the map next requests them.
function repaint() {
  for (const id of map.listImages()) if (/^(mark|cluster)-/.test(id)) map.removeImage(id);
  map.setPaintProperty("chosen", "circle-stroke-color", selectedColor());
  draw();
}

async function open(cluster) {
  const zoom = await map.getSource("vehicles").getClusterExpansionZoom(cluster.properties.cluster_id);
  map.easeTo({ center: cluster.geometry.coordinates, zoom: zoom + 0.3 });
}

async function load() {
  address = list().dataset.map;
  loaded = Date.now();
  const requestedUrl = address;
  let data;
  try {
    const response = await fetch(requestedUrl);
    data = response.ok ? await response.json() : null;
  } catch {
    data = null;
  }
  if (requestedUrl !== address) return;
  if (!data?.vehicles) return fail();
  vehicles.clear();
  for (const vehicle of data.vehicles) vehicles.set(vehicle[0], vehicle);
  showMessage(vehicles.size ? "" : "none");
  drawSoon();
}

// Loads other vehicles after a change of filters.
async function reloadIfFiltersChanged() {
  if (list().dataset.map === address) return;
  await load();
  draw();
  fit();
}

function applyUpdate({ vehicles: updated, gone }) {
  // With filters, only the server knows which vehicles match. The list is reloaded when their number changes.
  const filtered = new URL(address, location.href).search !== "";
  for (const vehicle of updated) if (!filtered || vehicles.has(vehicle[0])) vehicles.set(vehicle[0], vehicle);
  for (const id of gone) vehicles.delete(id);
  drawSoon();
  if (followed && updated.some(([id]) => id === followed)) centre();
}

function drawSoon() {
  if (map) drawTimer ??= setTimeout(draw, DRAW);
}

function feature([id, longitude, latitude, heading, mark]) {
  const drifting = mark === "moving" && heading === null;
  return {
    type: "Feature",
    geometry: { type: "Point", coordinates: [longitude, latitude] },
    properties: { id, mark: drifting ? "drifting" : mark, heading: heading ?? 0 },
  };
}

const collection = (some) => ({ type: "FeatureCollection", features: some.map(feature) });

function draw() {
  clearTimeout(drawTimer);
  drawTimer = undefined;
  map.getSource("vehicles")?.setData(collection([...vehicles.values()]));
  drawSelection();
  map.on("render", markDrawn);
}

// Set once the vehicles are visible. Tests and benchmarks wait for this.
function markDrawn() {
  if (!map.isSourceLoaded("vehicles")) return;
  map.off("render", markDrawn);
  element.dataset.vehicles = vehicles.size;
  performance.mark("vehicles-on-map");
}

function drawSelection() {
  const highlighted = [...new Set([...selected, followed, openedVehicle()])].map((id) => vehicles.get(id)).filter(Boolean);
  map?.getSource("chosen")?.setData(collection(highlighted));
}

// The vehicle in the panel beside the list.
const openedVehicle = () => Number(document.getElementById("side-panel")?.dataset.id) || undefined;

function showOpened() {
  drawSelection();
  const vehicle = vehicles.get(openedVehicle());
  if (!vehicle || hidden() || map.getBounds().contains(vehicle.slice(1, 3))) return;
  map.easeTo({ center: vehicle.slice(1, 3), animate: !reducedMotion() });
}

function setSelected(ids) {
  selected = ids;
  const label = query("[data-fit-words]");
  label.textContent = ids.length ? label.dataset.chosen : label.dataset.all;
  drawSelection();
}

// A hidden map has no size and can't move. The last movement is made up for when the map is shown.
function resize() {
  map.resize();
  if (hidden()) return;
  pendingMove?.();
  pendingMove = undefined;
}

const hidden = () => element.clientWidth === 0;

function fit({ animate = !reducedMotion() } = {}) {
  if (hidden()) return (pendingMove = () => fit({ animate: false }));
  const bounds = box(selected.length ? selected.map((id) => vehicles.get(id)).filter(Boolean) : [...vehicles.values()]);
  if (bounds) map.fitBounds(bounds, { ...FIT, animate });
}

function box(some) {
  if (!some.length) return undefined;
  const [longitudes, latitudes] = [some.map((vehicle) => vehicle[1]), some.map((vehicle) => vehicle[2])];
  const least = (numbers) => numbers.reduce((a, b) => Math.min(a, b));
  const most = (numbers) => numbers.reduce((a, b) => Math.max(a, b));
  return [[least(longitudes), least(latitudes)], [most(longitudes), most(latitudes)]];
}

const reducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

async function showPopup(id) {
  const vehicle = vehicles.get(id);
  if (!vehicle) return;
  popup?.remove();
  const response = await fetch(element.dataset.popup.replace("/0/", `/${id}/`)).catch(() => null);
  if (!response?.ok) return;
  const template = document.createElement("template");
  template.innerHTML = await response.text();
  const content = template.content.firstElementChild;
  // On a wide screen, the panel beside the list shows more than a popup would.
  const opening = new CustomEvent("panel:open", { detail: content.dataset.vehicle, cancelable: true });
  if (!document.dispatchEvent(opening)) return;
  content.querySelector("[data-follow]").addEventListener("click", () => follow(id));
  popup = new maplibre.Popup({ offset: 14, maxWidth: "260px" }).setLngLat([vehicle[1], vehicle[2]]).setDOMContent(content).addTo(map);
}

function follow(id) {
  followed = id ?? undefined;
  query("[data-unfollow]").hidden = !followed;
  popup?.remove();
  drawSelection();
  if (!followed) return;
  if (!vehicles.has(followed)) {
    followed = undefined;
    query("[data-unfollow]").hidden = true;
    return;
  }
  centre(Math.max(map.getZoom(), 14));
}

function centre(zoom = map.getZoom(), { animate = !reducedMotion() } = {}) {
  if (hidden()) return (pendingMove = () => centre(zoom, { animate: false }));
  const vehicle = vehicles.get(followed);
  if (vehicle) map.easeTo({ center: vehicle.slice(1, 3), zoom, animate });
}

const fail = () => showMessage("failed");

function showMessage(what) {
  const place = query("[data-map-failed]");
  place.hidden = !what;
  place.textContent = what ? place.dataset[what] : "";
}
