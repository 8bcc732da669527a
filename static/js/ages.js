// Keeps every <time data-ago> true while the page stays open. The same words as fleet/templatetags/display.py.
const STEPS = [[60, 1, "s"], [3600, 60, "min"], [86400, 3600, "h"], [Infinity, 86400, "d"]];

export function ageInWords(seconds) {
  const age = Math.max(0, Math.floor(seconds));
  if (age < 10) return "just now";
  const [, size, unit] = STEPS.find(([below]) => age < below);
  return `${Math.floor(age / size)} ${unit} ago`;
}

function update() {
  const now = Date.now();
  for (const element of document.querySelectorAll("time[data-ago]")) {
    const words = ageInWords((now - Date.parse(element.dateTime)) / 1000);
    if (element.textContent !== words) element.textContent = words;
  }
}

setInterval(update, 5000);
document.addEventListener("htmx:afterSettle", update);
