// The signals tab: filters while typing, and preserves open details and the filter when the signals are reloaded.
const bar = document.getElementById("signal-search");
const query = document.getElementById("signal-query");
const errors = document.getElementById("only-errors");
const old = document.getElementById("only-old");
const count = document.getElementById("signal-count");
let opened = [];

function apply() {
  const words = query.value.trim().toLowerCase().split(/\s+/);
  const filtered = Boolean(query.value.trim()) || errors.checked || old.checked;
  let found = 0;
  for (const signal of document.querySelectorAll("#signals .signal-row")) {
    const matches =
      words.every((word) => signal.dataset.text.includes(word)) &&
      (!errors.checked || "error" in signal.dataset) &&
      (!old.checked || "old" in signal.dataset);
    signal.hidden = !matches;
    found += matches;
  }
  for (const part of document.querySelectorAll("#signals :is(section, .untold)"))
    part.hidden = !part.querySelector(".signal-row:not([hidden])");
  // Opens the unreported signals if the search may match there.
  const unreported = document.getElementById("untold");
  if (unreported && query.value.trim() && !unreported.hidden) unreported.open = true;
  const { one, many, none } = bar.dataset;
  const result = found === 0 ? none : found === 1 ? one : many.replace("{count}", found);
  const text = filtered ? result : "";
  if (count.textContent !== text) count.textContent = text;
}

if (bar && document.querySelector("#signals .signal-row")) {
  bar.hidden = false;
  bar.addEventListener("input", apply);
  bar.addEventListener("change", apply);
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    query.focus();
    query.select();
  });
  apply();
}
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "signals") return;
  opened = [...document.querySelectorAll("#signals details[open]")].map(({ id }) => id);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const id of opened) {
    const details = document.getElementById(id);
    if (details) details.open = true;
  }
  opened = [];
  if (!bar.hidden) apply();
});
