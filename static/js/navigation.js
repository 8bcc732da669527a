// The rail, the bars of phones, and rows that scroll horizontally.
const root = document.documentElement;
const rail = document.getElementById("rail");
const toggle = document.querySelector("[data-rail-toggle]");
const density = document.querySelector("[data-density-toggle]");

function remember(name, value) {
  root.dataset[name] = value;
  try {
    localStorage.setItem(name, value);
  } catch {
    // Storage is blocked: the choice lasts until the next page.
  }
}

// On small screens, tabs and tiles scroll horizontally. The current item is scrolled into view, but not the tile of all
// vehicles, which comes after the urgent ones.
function showCurrent(part) {
  for (const row of part.querySelectorAll(".tabs-inner, .fleet-tiles")) {
    const current = row.querySelector("[aria-current]:not(#tile-all)");
    if (current) row.scrollLeft = current.offsetLeft - row.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
  }
}

showCurrent(document);
document.addEventListener("htmx:afterSettle", ({ target }) => showCurrent(target));
rail?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });

// A narrow rail shows only icons, which get their words as tooltips.
function setRail(width) {
  remember("rail", width);
  nameIcons();
}

function nameIcons() {
  for (const link of document.querySelectorAll(".rail-column :is(a, button, summary):has(> .rail-word)")) {
    if (root.dataset.rail === "narrow" && !link.title) {
      link.title = link.querySelector(".rail-word, .rail-expand").textContent.trim();
      link.dataset.named = "";
    } else if (root.dataset.rail !== "narrow" && "named" in link.dataset) {
      link.removeAttribute("title");
      delete link.dataset.named;
    }
  }
}

nameIcons();
toggle?.addEventListener("click", () => setRail(root.dataset.rail === "narrow" ? "wide" : "narrow"));
rail?.addEventListener("click", ({ target }) => {
  const fold = target.closest("summary")?.closest(".rail-fold");
  if (!fold || root.dataset.rail !== "narrow" || rail.matches(":popover-open")) return;
  setRail("wide"); // there is no room for the pages inside
  fold.open = false; // the click opens it
});

// Height of rows
if (density) {
  density.hidden = false;
  density.ariaPressed = String(root.dataset.density === "comfortable");
  density.addEventListener("click", () => {
    remember("density", root.dataset.density === "comfortable" ? "compact" : "comfortable");
    density.ariaPressed = String(root.dataset.density === "comfortable");
  });
}

// Search: the command palette listens for this event.
document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-open-palette]")) document.dispatchEvent(new CustomEvent("open-palette"));
});

// The map is a part of the vehicles page, so the phone's bar marks one of the two.
const toMap = document.querySelector("[data-to-map]");
const toList = toMap?.previousElementSibling;
function markMap() {
  if (new URL(toMap.href).pathname !== location.pathname) return;
  const [current, other] = location.hash === "#map" ? [toMap, toList] : [toList, toMap];
  current.ariaCurrent = "page";
  other.ariaCurrent = null;
}
if (toMap) {
  markMap();
  addEventListener("hashchange", markMap);
}
