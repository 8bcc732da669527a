// Before the first paint: the user's theme (else the system's), the width of the rail and the height of rows, so that
// nothing jumps. Tabler reads data-bs-theme. The width and the height are remembered in this browser.
const root = document.documentElement;
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const NARROW_BELOW = 1100;

function remembered(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // storage is blocked
  }
}

const applyTheme = () => root.setAttribute("data-bs-theme", root.dataset.theme || (dark.matches ? "dark" : "light"));
applyTheme();
dark.addEventListener("change", applyTheme);
root.dataset.rail = remembered("rail") ?? (window.innerWidth < NARROW_BELOW ? "narrow" : "wide");
root.dataset.density = remembered("density") ?? "compact";
