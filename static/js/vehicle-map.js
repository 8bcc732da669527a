// The vehicle page's map: one car, kept where its values say it is.
const element = document.getElementById("vehicle-map");

if (element) start();

async function start() {
  // By its hashed address, which only the page knows.
  const { makeMap } = await import(element.dataset.module);
  const { map, maplibre } = await makeMap(element);
  const dot = document.createElement("span");
  dot.className = "marker marker-parked";
  const marker = new maplibre.Marker({ element: dot }).setLngLat(position(element)).addTo(map);
  map.jumpTo({ center: position(element), zoom: 12 });
  document.addEventListener("htmx:afterSettle", () => {
    const energy = document.getElementById("energy");
    if (energy?.dataset.latitude) marker.setLngLat(position(energy));
    if (!map.getBounds().contains(marker.getLngLat())) map.panTo(marker.getLngLat());
  });
}

function position({ dataset }) {
  return [Number(dataset.longitude), Number(dataset.latitude)];
}
