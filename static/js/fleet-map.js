// The fleet page's map: the cars that the list's filters let through, in clusters; it follows the news.
const element = document.getElementById("fleet-map");
const words = (name) => document.querySelector(name);
const DRAW = 1000;
const POLL = 15_000; // without a stream; the list, a hundredth of it, looks more often
const cars = new Map();
let FIT, map, maplibre, popup, address, followed, chosen = [], drawing, owed, loaded = 0;

const list = () => document.getElementById("cars");

if (element?.checkVisibility()) start();
else if (element) {
  // On a phone the map waits behind a tab, and its library with it.
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
  let base, marks;
  try {
    // By their hashed addresses, which only the page knows.
    [base, marks] = await Promise.all([import(dataset.module), import(dataset.marks), load()]);
    ({ map, maplibre } = await base.makeMap(element, { bounds: box([...cars.values()]) }));
  } catch (error) {
    fail();
    throw error;
  } finally {
    words("[data-map-words]")?.remove();
  }
  FIT = base.FIT;
  marks.offerMarks(map);
  addLayers();
  base.onTheme(repaint);
  draw();
  document.addEventListener("cars:drawn", renew);
  document.addEventListener("map:old", load);
  document.body.addEventListener("live:poll", () => Date.now() - loaded > POLL && load());
  document.addEventListener("map:follow", ({ detail }) => follow(detail));
  document.addEventListener("map:resized", resize);
  document.body.addEventListener("live:fleet", ({ detail }) => move(detail));
  document.addEventListener("cars:chosen", ({ detail }) => choose(detail));
  words("[data-fit]").addEventListener("click", () => fit());
  words("[data-unfollow]").addEventListener("click", () => follow(null));
}

function addLayers() {
  const empty = { type: "FeatureCollection", features: [] };
  const alarmed = ["+", ["case", ["==", ["get", "mark"], "unlocked"], 1, 0]];
  const shared = { type: "symbol", source: "cars" };
  map.addSource("cars", {
    type: "geojson", data: empty, cluster: true, clusterRadius: 42, clusterMaxZoom: 13, clusterProperties: { alarmed },
  });
  map.addSource("chosen", { type: "geojson", data: empty });
  map.addLayer({
    id: "chosen", type: "circle", source: "chosen",
    paint: {
      "circle-radius": 15, "circle-color": "transparent", "circle-stroke-width": 2.5,
      "circle-stroke-color": chosenColor(),
    },
  });
  map.addLayer({
    ...shared, id: "cars", filter: ["!", ["has", "point_count"]],
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
  for (const layer of ["cars", "clusters"]) {
    map.on("mouseenter", layer, () => (map.getCanvas().style.cursor = "pointer"));
    map.on("mouseleave", layer, () => (map.getCanvas().style.cursor = ""));
  }
  map.on("click", "cars", ({ features }) => peek(features[0].properties.id));
  map.on("click", "clusters", ({ features }) => open(features[0]));
  map.on("dragstart", () => follow(null));
}

const chosenColor = () => getComputedStyle(document.documentElement).getPropertyValue("--mark-chosen").trim();

// The marks are drawn anew when they are next asked for.
function repaint() {
  for (const id of map.listImages()) if (/^(mark|cluster)-/.test(id)) map.removeImage(id);
  map.setPaintProperty("chosen", "circle-stroke-color", chosenColor());
  draw();
}

async function open(cluster) {
  const zoom = await map.getSource("cars").getClusterExpansionZoom(cluster.properties.cluster_id);
  map.easeTo({ center: cluster.geometry.coordinates, zoom: zoom + 0.3 });
}

async function load() {
  address = list().dataset.map;
  loaded = Date.now();
  const asked = address;
  let data;
  try {
    const response = await fetch(asked);
    data = response.ok ? await response.json() : null;
  } catch {
    data = null;
  }
  if (asked !== address) return;
  if (!data?.cars) return fail();
  cars.clear();
  for (const car of data.cars) cars.set(car[0], car);
  say(cars.size ? "" : "none");
  drawSoon();
}

// Other filters: other cars.
async function renew() {
  if (list().dataset.map === address) return;
  await load();
  draw();
  fit();
}

function move({ cars: moved, gone }) {
  // With filters, who fits them is for the server to say: the list asks it anew when their number changes.
  const narrowed = new URL(address, location.href).search !== "";
  for (const car of moved) if (!narrowed || cars.has(car[0])) cars.set(car[0], car);
  for (const id of gone) cars.delete(id);
  drawSoon();
  if (followed && moved.some(([id]) => id === followed)) centre();
}

function drawSoon() {
  if (map) drawing ??= setTimeout(draw, DRAW);
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
  clearTimeout(drawing);
  drawing = undefined;
  map.getSource("cars")?.setData(collection([...cars.values()]));
  ring();
  map.on("render", drawn);
}

// Said once they can be seen: a test and a measurement wait for it.
function drawn() {
  if (!map.isSourceLoaded("cars")) return;
  map.off("render", drawn);
  element.dataset.cars = cars.size;
  performance.mark("cars-on-map");
}

function ring() {
  const ringed = [...new Set([...chosen, followed])].map((id) => cars.get(id)).filter(Boolean);
  map?.getSource("chosen")?.setData(collection(ringed));
}

function choose(ids) {
  chosen = ids;
  const label = words("[data-fit-words]");
  label.textContent = ids.length ? label.dataset.chosen : label.dataset.all;
  ring();
}

// A hidden map has no size to move in: where it was to be, it is once it is shown.
function resize() {
  map.resize();
  if (hidden()) return;
  owed?.();
  owed = undefined;
}

const hidden = () => element.clientWidth === 0;

function fit({ animate = !still() } = {}) {
  if (hidden()) return (owed = () => fit({ animate: false }));
  const bounds = box(chosen.length ? chosen.map((id) => cars.get(id)).filter(Boolean) : [...cars.values()]);
  if (bounds) map.fitBounds(bounds, { ...FIT, animate });
}

function box(some) {
  if (!some.length) return undefined;
  const [longitudes, latitudes] = [some.map((car) => car[1]), some.map((car) => car[2])];
  const least = (numbers) => numbers.reduce((a, b) => Math.min(a, b));
  const most = (numbers) => numbers.reduce((a, b) => Math.max(a, b));
  return [[least(longitudes), least(latitudes)], [most(longitudes), most(latitudes)]];
}

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

async function peek(id) {
  const car = cars.get(id);
  if (!car) return;
  popup?.remove();
  const response = await fetch(element.dataset.peek.replace("/0/", `/${id}/`)).catch(() => null);
  if (!response?.ok) return;
  const made = document.createElement("template");
  made.innerHTML = await response.text();
  const content = made.content.firstElementChild;
  content.querySelector("[data-follow]").addEventListener("click", () => follow(id));
  popup = new maplibre.Popup({ offset: 14, maxWidth: "260px" }).setLngLat([car[1], car[2]]).setDOMContent(content).addTo(map);
}

function follow(id) {
  followed = id ?? undefined;
  words("[data-unfollow]").hidden = !followed;
  popup?.remove();
  ring();
  if (!followed) return;
  if (!cars.has(followed)) {
    followed = undefined;
    words("[data-unfollow]").hidden = true;
    return;
  }
  centre(Math.max(map.getZoom(), 14));
}

function centre(zoom = map.getZoom(), { animate = !still() } = {}) {
  if (hidden()) return (owed = () => centre(zoom, { animate: false }));
  const car = cars.get(followed);
  if (car) map.easeTo({ center: car.slice(1, 3), zoom, animate });
}

const fail = () => say("failed");

function say(what) {
  const place = words("[data-map-failed]");
  place.hidden = !what;
  place.textContent = what ? place.dataset[what] : "";
}
