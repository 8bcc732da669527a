// The signals tab: searching as one types, and keeping what is open and found when the signals are renewed.
const bar = document.getElementById("signal-search");
const query = document.getElementById("signal-query");
const errors = document.getElementById("only-errors");
const old = document.getElementById("only-old");
const count = document.getElementById("signal-count");
let opened = [];

function apply() {
  const words = query.value.trim().toLowerCase().split(/\s+/);
  const narrowed = Boolean(query.value.trim()) || errors.checked || old.checked;
  let found = 0;
  for (const signal of document.querySelectorAll("#signals .signal-row")) {
    const fits =
      words.every((word) => signal.dataset.text.includes(word)) &&
      (!errors.checked || "error" in signal.dataset) &&
      (!old.checked || "old" in signal.dataset);
    signal.hidden = !fits;
    found += fits;
  }
  for (const part of document.querySelectorAll("#signals :is(section, .untold)"))
    part.hidden = !part.querySelector(".signal-row:not([hidden])");
  // What is found among those that the car does not report is not left folded away.
  const untold = document.getElementById("untold");
  if (untold && query.value.trim() && !untold.hidden) untold.open = true;
  const { one, many, none } = bar.dataset;
  const said = found === 0 ? none : found === 1 ? one : many.replace("{count}", found);
  const told = narrowed ? said : "";
  if (count.textContent !== told) count.textContent = told;
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
