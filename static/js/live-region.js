// Announces changes after a swap. Screen readers announce changes only in regions that persist, unlike swapped elements.
// Texts of elements with data-say are announced if they have changed; the attribute's value identifies the element.
const CLEAR_AFTER = 10_000; // cleared, so that screen readers don't find the text later
const liveRegion = document.getElementById("voice");
let known = texts();
let clearTimer;

function texts() {
  const found = [...document.querySelectorAll("[data-say]")];
  return new Map(found.map((each) => [each.dataset.say, each.textContent.replace(/\s+/g, " ").trim()]));
}

document.addEventListener("htmx:afterSettle", () => {
  const now = texts();
  const changes = [...now].filter(([key, text]) => text && known.get(key) !== text).map(([, text]) => text);
  known = now;
  if (!changes.length) return;
  liveRegion.textContent = changes.join(" ");
  clearTimeout(clearTimer);
  clearTimer = setTimeout(() => (liveRegion.textContent = ""), CLEAR_AFTER);
});
