// The vehicle's values are replaced as a whole when they change. Opened details remain open.
let opened = [];

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "values") return;
  opened = [...document.querySelectorAll("#values details[open], #place details[open]")].map(({ id }) => id);
});
document.addEventListener("htmx:afterSettle", () => {
  for (const id of opened) {
    const details = document.getElementById(id);
    if (details) details.open = true;
  }
  opened = [];
});
