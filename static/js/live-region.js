// Reads out what a swap has changed: a screen reader hears of changes in a region that stays, and swapped parts do not
// stay. The texts of elements with data-say are said when they are others than before; its value tells them apart.
const QUIET = 10_000; // whoever reads the page later does not come upon it
const voice = document.getElementById("voice");
let known = texts();
let quiet;

function texts() {
  const found = [...document.querySelectorAll("[data-say]")];
  return new Map(found.map((each) => [each.dataset.say, each.textContent.replace(/\s+/g, " ").trim()]));
}

document.addEventListener("htmx:afterSettle", () => {
  const now = texts();
  const news = [...now].filter(([key, text]) => text && known.get(key) !== text).map(([, text]) => text);
  known = now;
  if (!news.length) return;
  voice.textContent = news.join(" ");
  clearTimeout(quiet);
  quiet = setTimeout(() => (voice.textContent = ""), QUIET);
});
