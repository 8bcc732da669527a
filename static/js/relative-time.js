// Keeps every <time data-ago> true while the page stays open. The same words as fleet/templatetags/display.py, which
// gives them to the page in its language.
const STEPS = [[60, 1, "s"], [3600, 60, "min"], [86400, 3600, "h"], [Infinity, 86400, "d"]];
const words = JSON.parse(document.documentElement.dataset.ages);

export function ageInWords(seconds) {
  const age = Math.max(0, Math.floor(seconds));
  if (age < 10) return words.now;
  const [, size, unit] = STEPS.find(([below]) => age < below);
  const number = Math.floor(age / size);
  const [one, several] = words[unit];
  return (number === 1 ? one : several).replace("%(number)d", number);
}

function update() {
  const now = Date.now();
  for (const element of document.querySelectorAll("time[data-ago]")) {
    const said = ageInWords((now - Date.parse(element.dateTime)) / 1000);
    if (element.textContent !== said) element.textContent = said;
  }
}

setInterval(update, 5000);
document.addEventListener("htmx:afterSettle", update);
