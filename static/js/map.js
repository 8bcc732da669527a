// A MapLibre map that needs no network: Natural Earth's land outline and a grid, or the style of data-style.
const LAND = "land";
const NEAR = 4;
export const FIT = { padding: 56, maxZoom: 14 };

// `bounds`, as [[west, south], [east, north]], is what it shows first; without them the whole world.
export async function makeMap(element, { bounds } = {}) {
  const maplibre = await import(element.dataset.library);
  maplibre.setWorkerUrl(element.dataset.worker);
  maplibre.prewarm(); // the worker reads its script while the map gets its canvas
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
  map.addControl(new maplibre.ScaleControl({}), "bottom-left");
  if (!element.dataset.style) {
    await new Promise((resolve) => map.once("style.load", resolve));
    map.once("idle", () => showLand(map, element)); // what the page is about comes first
    onTheme(() => paint(map));
    const redrawGrid = () => map.getSource("grid").setData(grid(map));
    map.on("moveend", redrawGrid);
    redrawGrid();
  }
  return { map, maplibre };
}

// Whoever draws with the theme's colours draws anew when it changes.
export function onTheme(draw) {
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
}

function paint(map) {
  for (const { id, paint: colors } of outlineStyle().layers) {
    for (const [property, value] of Object.entries(colors)) map.setPaintProperty(id, property, value);
  }
}

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function outlineStyle() {
  const empty = { type: "FeatureCollection", features: [] };
  return {
    version: 8,
    sources: { [LAND]: { type: "geojson", data: empty }, grid: { type: "geojson", data: empty } },
    layers: [
      { id: "water", type: "background", paint: { "background-color": color("--map-water") } },
      { id: LAND, type: "fill", source: LAND, paint: { "fill-color": color("--map-land") } },
      { id: "coast", type: "line", source: LAND, paint: { "line-color": color("--map-coast"), "line-width": 1 } },
      { id: "grid", type: "line", source: "grid", paint: { "line-color": color("--map-grid"), "line-width": 1 } },
    ],
  };
}

// The page's map does without: when the line is lost meanwhile, the land comes once it is back.
async function showLand(map, element) {
  try {
    await drawLand(map, element);
  } catch {
    window.addEventListener("online", () => showLand(map, element), { once: true });
  }
}

// From afar a coarse coast will do where there is one (data-land-far): the fine one is 3 MB.
async function drawLand(map, element) {
  const { land, landFar, topojson } = element.dataset;
  await import(topojson);
  const show = async (address) => {
    const topology = await (await fetch(address)).json();
    map.getSource(LAND)?.setData(globalThis.topojson.feature(topology, topology.objects.land));
  };
  if (landFar && map.getZoom() < NEAR) {
    await show(landFar);
    await new Promise((resolve) => whenNear(map, resolve));
  }
  await show(land);
}

function whenNear(map, act) {
  const look = () => {
    if (map.getZoom() < NEAR) return;
    map.off("zoomend", look);
    act();
  };
  map.on("zoomend", look);
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

function stepFor(wanted) {
  const power = 10 ** Math.floor(Math.log10(wanted));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= wanted);
}
