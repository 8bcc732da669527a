// Updates every <time data-ago> while the page is open. The texts come from the page, in its language, and match those of
// core/templatetags/dates.py.
const STEPS = [[60, 1, "s"], [3600, 60, "min"], [86400, 3600, "h"], [Infinity, 86400, "d"]];
const texts = JSON.parse(document.documentElement.dataset.ages);

export function formatAge(seconds) {
  const age = Math.max(0, Math.floor(seconds));
  if (age < 10) return texts.now;
  const [, size, unit] = STEPS.find(([below]) => age < below);
  const number = Math.floor(age / size);
  const [one, several] = texts[unit];
  return (number === 1 ? one : several).replace("%(number)d", number);
}

function update() {
  const now = Date.now();
  for (const element of document.querySelectorAll("time[data-ago]")) {
    const text = formatAge((now - Date.parse(element.dateTime)) / 1000);
    if (element.textContent !== text) element.textContent = text;
  }
}

setInterval(update, 5000);
document.addEventListener("htmx:afterSettle", update);
