// The fleet page's map. The table is its data: after each renewal of the table the markers follow it.
const element = document.getElementById("fleet-map");
const markers = new Map();

if (element) start();

async function start() {
  // By its hashed address, which only the page knows.
  const { makeMap } = await import(element.dataset.module);
  const { map, maplibre } = await makeMap(element);
  const draw = () => place(map, maplibre);
  draw();
  fit(map, maplibre);
  document.addEventListener("htmx:afterSettle", draw);
}

function cars() {
  return [...document.querySelectorAll("#car-table tr[data-latitude]")].map((row) => ({
    id: row.id,
    name: row.dataset.name,
    url: row.dataset.url,
    state: row.dataset.state,
    position: [Number(row.dataset.longitude), Number(row.dataset.latitude)],
  }));
}

function place(map, maplibre) {
  const present = new Set();
  for (const car of cars()) {
    present.add(car.id);
    const marker = markers.get(car.id) ?? add(map, maplibre, car);
    marker.setLngLat(car.position);
    dress(marker.getElement(), car);
  }
  for (const [id, marker] of markers) {
    if (present.has(id)) continue;
    marker.remove();
    markers.delete(id);
  }
}

function add(map, maplibre, car) {
  const link = document.createElement("a");
  link.href = car.url;
  // The table says the same to those who do not point at maps.
  link.tabIndex = -1;
  link.setAttribute("aria-hidden", "true");
  const marker = new maplibre.Marker({ element: link }).setLngLat(car.position).addTo(map);
  markers.set(car.id, marker);
  return marker;
}

function dress(link, car) {
  link.title = car.name;
  for (const state of ["parked", "moving", "charging", "unlocked"]) {
    link.classList.toggle(`marker-${state}`, car.state === state);
  }
  link.classList.add("marker");
}

function fit(map, maplibre) {
  const positions = cars().map((car) => car.position);
  if (!positions.length) return;
  const bounds = positions.reduce(
    (box, position) => box.extend(position),
    new maplibre.LngLatBounds(positions[0], positions[0]),
  );
  map.fitBounds(bounds, { padding: 48, maxZoom: 14, animate: false });
}
