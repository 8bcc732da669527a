// On small screens, navigation and tiles scroll horizontally. The current item is scrolled into view, but not the tile of all
// vehicles, which comes after the urgent ones.
function show(part) {
  for (const row of part.querySelectorAll(".fleet-navigation-inner, .tabs-inner, .fleet-tiles")) {
    const current = row.querySelector("[aria-current]:not(#tile-all)");
    if (current) row.scrollLeft = current.offsetLeft - row.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
  }
}

show(document);
document.addEventListener("htmx:afterSettle", ({ target }) => show(target));
