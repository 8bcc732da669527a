// The destination's map: a click enters the coordinates, and the marker shows what was chosen. The field and the list
// of places work without it.
let shown;

document.addEventListener("toggle", ({ target }) => target.id === "destination" && target.open && show(target), true);
document.addEventListener("change", ({ target }) => {
  if (target.id !== "destination-place") return;
  const { latitude, longitude } = target.selectedOptions[0].dataset;
  if (!latitude) return;
  document.getElementById("destination-coordinates").value = "";
  shown?.then((view) => mark(view, [Number(longitude), Number(latitude)], { pan: true }));
});
document.addEventListener("input", ({ target }) => {
  if (target.id !== "destination-coordinates" || !target.value) return;
  unselectPlace();
  shown?.then(({ marker }) => marker.remove());
});

function show(details) {
  const element = details.querySelector("#destination-map");
  if (element && !element.dataset.started) {
    element.dataset.started = "yes";
    shown = start(element);
  }
}

async function start(element) {
  // Its URL is hashed and known only to the page.
  const { makeMap } = await import(element.dataset.module);
  const { map, maplibre } = await makeMap(element);
  const pin = document.createElement("span");
  pin.className = "marker marker-parked";
  const view = { map, marker: new maplibre.Marker({ element: pin }) };
  const { latitude, longitude } = element.dataset;
  if (latitude) map.jumpTo({ center: [Number(longitude), Number(latitude)], zoom: 10 });
  map.getCanvas().classList.add("destination-canvas");
  // The page has another map, so this one has a name of its own.
  map.getCanvas().setAttribute("aria-label", element.closest("details").querySelector("summary").textContent.trim());
  map.on("click", ({ lngLat }) => {
    const { lat, lng } = lngLat.wrap();
    document.getElementById("destination-coordinates").value = `${lat.toFixed(5)}, ${lng.toFixed(5)}`;
    unselectPlace();
    mark(view, [lng, lat]);
  });
  return view;
}

function mark({ map, marker }, center, { pan = false } = {}) {
  marker.setLngLat(center).addTo(map);
  if (pan) map.jumpTo({ center, zoom: Math.max(map.getZoom(), 10) });
}

function unselectPlace() {
  const places = document.getElementById("destination-place");
  if (places) places.value = "";
}
