// The map of a vehicle's page, with a marker that follows the location. It exists only while the location is shown.
let shown;

show();
document.addEventListener("htmx:afterSettle", show);

async function show() {
  const element = document.getElementById("vehicle-map");
  if (!element) return;
  if (shown?.element === element) {
    follow(await shown.ready);
    return;
  }
  shown?.ready.then(({ map }) => map.remove());
  shown = { element, ready: start(element) };
}

async function start(element) {
  // Its URL is hashed and known only to the page.
  const { makeMap } = await import(element.dataset.module);
  const { map, maplibre } = await makeMap(element);
  const dot = document.createElement("span");
  dot.className = "marker marker-parked";
  const marker = new maplibre.Marker({ element: dot }).setLngLat(position(element)).addTo(map);
  map.jumpTo({ center: position(element), zoom: 12 });
  return { map, marker };
}

function follow({ map, marker }) {
  const place = document.getElementById("place");
  if (!place.dataset.latitude) return;
  marker.setLngLat(position(place));
  if (!map.getBounds().contains(marker.getLngLat())) map.panTo(marker.getLngLat());
}

function position({ dataset }) {
  return [Number(dataset.longitude), Number(dataset.latitude)];
}
