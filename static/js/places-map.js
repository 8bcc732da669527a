// The fleet's places on a map, with circles and names. On the page of one place, a click moves the place and updates the
// fields; on the list, a click offers to add a place there.
const element = document.getElementById("places-map");
const form = document.getElementById("place-form");
const here = document.getElementById("place-here");
const EARTH = 6_371_008.8;

if (element) start();

async function start() {
  // Its URL is hashed and known only to the page.
  const { makeMap } = await import(element.dataset.module);
  const view = await makeMap(element);
  if (element.dataset.style) await new Promise((resolve) => view.map.once("load", resolve));
  const places = [...document.querySelectorAll("#places > li")].map(readPlace);
  drawCircles(view.map, "places", places);
  for (const place of places) label(view, place);
  if (form) edit(view, places);
  else show(view, places);
  if (here) offerToAdd(view);
}

function readPlace(item) {
  const { latitude, longitude, radius, name, url } = item.dataset;
  return { item, name, url, radius: Number(radius), center: [Number(longitude), Number(latitude)] };
}

// -- Drawing ---------------------------------------------------------------------------------------------------------

function drawCircles(map, id, places) {
  const data = { type: "FeatureCollection", features: places.map(circle) };
  if (map.getSource(id)) {
    map.getSource(id).setData(data);
    return;
  }
  const color = getComputedStyle(document.documentElement).getPropertyValue("--place-circle").trim();
  map.addSource(id, { type: "geojson", data });
  map.addLayer({ id, type: "fill", source: id, paint: { "fill-color": color, "fill-opacity": 0.15 } });
  map.addLayer({ id: `${id}-edge`, type: "line", source: id, paint: { "line-color": color, "line-width": 1.5 } });
}

// A circle on the globe, as a ring of 64 points.
function circle({ center, radius }) {
  const [lng, lat] = center.map((degrees) => (degrees * Math.PI) / 180);
  const reach = radius / EARTH;
  const ring = [];
  for (let step = 0; step <= 64; step += 1) {
    const bearing = (step * Math.PI) / 32;
    const up = Math.asin(Math.sin(lat) * Math.cos(reach) + Math.cos(lat) * Math.sin(reach) * Math.cos(bearing));
    const aside = Math.atan2(
      Math.sin(bearing) * Math.sin(reach) * Math.cos(lat),
      Math.cos(reach) - Math.sin(lat) * Math.sin(up),
    );
    ring.push([((lng + aside) * 180) / Math.PI, (up * 180) / Math.PI]);
  }
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } };
}

function label({ map, maplibre }, place) {
  const tag = document.createElement(place.url ? "a" : "span");
  if (place.url) tag.href = place.url;
  tag.className = "place-label";
  tag.textContent = place.name;
  // The list has the same information, also for keyboard and screen reader users.
  tag.tabIndex = -1;
  tag.setAttribute("aria-hidden", "true");
  tag.addEventListener("click", (event) => event.stopPropagation());
  new maplibre.Marker({ element: tag, anchor: "bottom", offset: [0, -8] }).setLngLat(place.center).addTo(map);
}

function getBounds({ maplibre }, places) {
  const bounds = new maplibre.LngLatBounds();
  for (const place of places) {
    for (const point of circle(place).geometry.coordinates[0]) bounds.extend(point);
  }
  return bounds;
}

// Without a place, the map initially shows where the vehicles are.
function fit(view, places) {
  const bounds = places.length ? getBounds(view, places) : element.parentElement.dataset.area?.split(",").map(Number);
  if (bounds) view.map.fitBounds(bounds, { padding: 48, maxZoom: places.length ? 15 : 12, animate: false });
}

// -- The list --------------------------------------------------------------------------------------------------------

function show(view, places) {
  fit(view, places);
  for (const place of places) {
    const button = place.item.querySelector("[data-show]");
    if (!button) continue;
    button.hidden = false;
    button.addEventListener("click", () => {
      fit(view, [place]);
      element.scrollIntoView({ block: "nearest" });
    });
  }
}

function offerToAdd({ map, maplibre }) {
  map.on("click", ({ lngLat }) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm btn-primary";
    button.textContent = here.dataset.label;
    button.addEventListener("click", () => {
      const { lng, lat } = lngLat.wrap();
      here.elements.latitude.value = lat.toFixed(6);
      here.elements.longitude.value = lng.toFixed(6);
      here.submit();
    });
    const popup = new maplibre.Popup({ closeButton: false, className: "place-popup" });
    popup.setLngLat(lngLat).setDOMContent(button).addTo(map);
  });
}

// -- One place -------------------------------------------------------------------------------------------------------

function edit(view, others) {
  const { map, maplibre } = view;
  const { latitude, longitude, radius } = form.elements;
  const dot = document.createElement("span");
  dot.className = "place-center";
  const marker = new maplibre.Marker({ element: dot, draggable: true });

  const move = ({ lng, lat }) => {
    latitude.value = lat.toFixed(6);
    longitude.value = lng.toFixed(6);
    draw();
  };
  const draw = () => {
    const place = readFields();
    drawCircles(map, "place", place ? [place] : []);
    if (place) marker.setLngLat(place.center).addTo(map);
    else marker.remove();
    return place;
  };
  const readFields = () => {
    const [lat, lng, meters] = [latitude, longitude, radius].map((field) =>
      field.value.trim() ? Number(field.value.trim().replace(",", ".")) : NaN,
    );
    if (!(Math.abs(lat) <= 90 && Math.abs(lng) <= 180)) return null;
    return { center: [lng, lat], radius: meters >= 1 && meters <= 50_000 ? meters : 1 };
  };

  const first = draw();
  fit(view, first ? [first] : others);
  map.on("click", ({ lngLat }) => move(lngLat.wrap()));
  marker.on("drag", () => move(marker.getLngLat().wrap()));
  radius.addEventListener("input", draw);
  for (const field of [latitude, longitude]) {
    field.addEventListener("change", () => {
      const place = draw();
      if (place && !map.getBounds().contains(place.center)) fit(view, [place]);
    });
  }
}
