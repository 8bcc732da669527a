// The command palette: opens on Ctrl K, ⌘K and "open-palette" on the document. The field keeps the focus, the arrow
// keys select a result (aria-activedescendant), and Enter follows it.
const palette = document.getElementById("palette");
const field = document.getElementById("palette-field");
let pending, waiting;
const options = () => [...palette.querySelectorAll("a[role=option]")];

function open() {
  if (palette.open) return;
  field.value = "";
  select(null);
  palette.showModal();
  field.focus();
  search();
}

// Shows the results of what the field contains. Of several searches, the last one counts.
async function search() {
  pending?.abort();
  const { signal } = (pending = new AbortController());
  try {
    const address = `${field.dataset.url}?${new URLSearchParams({ q: field.value })}`;
    const response = await fetch(address, { headers: { "HX-Request": "true" }, signal });
    // The session has ended.
    if (response.headers.has("HX-Refresh")) window.location.reload();
    else if (response.ok) show(await response.text());
  } catch (error) {
    // Offline, the former results stay, and the next key searches again.
    if (error.name !== "AbortError" && !(error instanceof TypeError)) throw error;
  }
}

function show(content) {
  const results = document.getElementById("palette-results");
  results.innerHTML = content;
  results.scrollTop = 0;
  const all = options();
  select(all[0]);
  announce(all.length);
}

function select(option) {
  for (const other of palette.querySelectorAll("[aria-selected=true]")) other.setAttribute("aria-selected", "false");
  if (!option) return field.removeAttribute("aria-activedescendant");
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  field.setAttribute("aria-activedescendant", option.id);
}

function announce(count) {
  const status = palette.querySelector("[data-palette-count]");
  const { none, one, several } = status.dataset;
  status.textContent = count === 0 ? none : count === 1 ? one : several.replace("#", count);
}

const steps = {
  ArrowDown: (all, at) => (at + 1) % all.length,
  ArrowUp: (all, at) => (at <= 0 ? all.length : at) - 1,
  Home: () => 0,
  End: (all) => all.length - 1,
};

if (palette) {
  document.addEventListener("open-palette", open);
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (palette.open) palette.close();
    else open();
  });
  field.addEventListener("keydown", (event) => {
    const all = options();
    const at = all.findIndex((option) => option.id === field.getAttribute("aria-activedescendant"));
    // In a text, Home and End move the cursor.
    const step = (event.key === "Home" || event.key === "End") && field.value ? null : steps[event.key];
    if (step && all.length) select(all[step(all, at)]);
    else if (event.key === "Enter" && !event.isComposing) all[at]?.click();
    else return;
    event.preventDefault();
  });
  palette.addEventListener("click", (event) => {
    // A click on the backdrop has the dialog itself as its target.
    if (event.target === palette || event.target.closest("[data-palette-close]")) palette.close();
    // A link to a part of this page doesn't leave it.
    if (event.target.closest("a[role=option]") && !event.ctrlKey && !event.metaKey) palette.close();
  });
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, 80);
  });
}
