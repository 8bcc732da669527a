// A MapLibre map without external resources: Natural Earth's land outline and a grid, or the style of data-style.
const LAND = "land";
const NEAR = 4;
export const FIT = { padding: 56, maxZoom: 14 };

// Initially shows `bounds`, as [[west, south], [east, north]], or the whole world without them.
export async function makeMap(element, { bounds } = {}) {
  const maplibre = await import(element.dataset.library);
  maplibre.setWorkerUrl(element.dataset.worker);
  maplibre.prewarm(); // loads the worker script while the map creates its canvas
  const map = new maplibre.Map({
    container: element,
    style: element.dataset.style || outlineStyle(),
    attributionControl: element.dataset.style ? undefined : false,
    ...(bounds ? { bounds, fitBoundsOptions: FIT } : { center: [0, 30], zoom: 1 }),
    maxZoom: 18,
    dragRotate: false,
    fadeDuration: 0,
    pitchWithRotate: false,
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibre.ScaleControl({ unit: document.documentElement.dataset.units || "metric" }), "bottom-left");
  if (!element.dataset.style) {
    await new Promise((resolve) => map.once("style.load", resolve));
    map.once("idle", () => showLand(map, element)); // after the page's own content
    onTheme(() => paint(map));
    const redrawGrid = () => map.getSource("grid").setData(grid(map));
    map.on("moveend", redrawGrid);
    redrawGrid();
  }
  return { map, maplibre };
}

// Calls `draw` when the theme changes, for everything that is drawn in its colors.
export function onTheme(draw) {
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
}

function paint(map) {
  for (const { id, paint: colors } of outlineStyle(map.hasLand).layers) {
    for (const [property, value] of Object.entries(colors)) map.setPaintProperty(id, property, value);
  }
}

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Without land, everything has the color of land: vehicles are rarely at sea.
function outlineStyle(hasLand = false) {
  const empty = { type: "FeatureCollection", features: [] };
  return {
    version: 8,
    sources: { [LAND]: { type: "geojson", data: empty }, grid: { type: "geojson", data: empty } },
    layers: [
      { id: "water", type: "background", paint: { "background-color": color(hasLand ? "--map-water" : "--map-land") } },
      { id: LAND, type: "fill", source: LAND, paint: { "fill-color": color("--map-land") } },
      { id: "coast", type: "line", source: LAND, paint: { "line-color": color("--map-coast"), "line-width": 1 } },
      { id: "grid", type: "line", source: "grid", paint: { "line-color": color("--map-grid"), "line-width": 1 } },
    ],
  };
}

// The map works without the land. If loading fails offline, the land is loaded when the browser is online again.
async function showLand(map, element) {
  try {
    await drawLand(map, element);
  } catch {
    window.addEventListener("online", () => showLand(map, element), { once: true });
  }
}

// Zoomed out, the coarse outline (data-land-far) is sufficient, if there is one: the detailed one is 3 MB.
async function drawLand(map, element) {
  const { land, landFar, topojson } = element.dataset;
  await import(topojson);
  const show = async (address) => {
    const topology = await (await fetch(address)).json();
    map.getSource(LAND)?.setData(globalThis.topojson.feature(topology, topology.objects.land));
    await new Promise((resolve) => map.once("idle", resolve));
    map.hasLand = true;
    paint(map);
  };
  if (landFar && map.getZoom() < NEAR) {
    await show(landFar);
    await new Promise((resolve) => whenNear(map, resolve));
  }
  await show(land);
}

function whenNear(map, act) {
  const check = () => {
    if (map.getZoom() < NEAR) return;
    map.off("zoomend", check);
    act();
  };
  map.on("zoomend", check);
}

// Lines of latitude and longitude about 120 pixels apart.
function grid(map) {
  const bounds = map.getBounds();
  const step = stepFor((bounds.getEast() - bounds.getWest()) / Math.max(1, map.getContainer().clientWidth / 120));
  const lines = [];
  const [west, east] = [bounds.getWest(), bounds.getEast()];
  const [south, north] = [Math.max(-85, bounds.getSouth()), Math.min(85, bounds.getNorth())];
  for (let x = Math.ceil(west / step) * step; x <= east; x += step) lines.push([[x, south], [x, north]]);
  for (let y = Math.ceil(south / step) * step; y <= north; y += step) lines.push([[west, y], [east, y]]);
  return {
    type: "FeatureCollection",
    features: [{ type: "Feature", properties: {}, geometry: { type: "MultiLineString", coordinates: lines } }],
  };
}

function stepFor(minimum) {
  const power = 10 ** Math.floor(Math.log10(minimum));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= minimum);
}
