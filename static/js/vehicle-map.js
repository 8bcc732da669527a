// The vehicle page's map: one car, kept where its values say it is. It comes and goes with the car's place.
let shown;

show();
document.addEventListener("htmx:afterSettle", show);

async function show() {
  const element = document.getElementById("vehicle-map");
  if (!element) return;
  if (shown?.element === element) {
    follow(await shown.made);
    return;
  }
  shown?.made.then(({ map }) => map.remove());
  shown = { element, made: start(element) };
}

async function start(element) {
  // By its hashed address, which only the page knows.
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
