// Selecting vehicles in the table. The selection persists when the table is reloaded or shows another page.
const bar = document.getElementById("bulk");
const selected = new Set();

const checkboxes = () => [...document.querySelectorAll('#vehicle-table input[name="vehicle"]')];

function show() {
  const present = checkboxes();
  for (const box of present) {
    box.checked = selected.has(box.value);
    box.closest("tr").classList.toggle("is-chosen", box.checked);
  }
  const whole = present.length > 0 && present.every((box) => box.checked);
  const all = document.querySelector("[data-choose-all]");
  if (all) {
    all.checked = whole;
    all.indeterminate = !whole && present.some((box) => box.checked);
  }
  const selectMatching = document.querySelector("[data-choose-fitting]");
  if (selectMatching) selectMatching.hidden = !whole || selected.size >= Number(selectMatching.dataset.total);
  bar.hidden = selected.size === 0;
  const count = bar.querySelector("[data-chosen]");
  const { one, several } = count.dataset;
  count.textContent = (selected.size === 1 ? one : several).replace("#", selected.size.toLocaleString(document.documentElement.lang));
  document.dispatchEvent(new CustomEvent("vehicles:selected", { detail: present.filter((box) => box.checked).map(getId) }));
}

const getId = (box) => Number(box.closest("tr").dataset.id);

async function selectAllMatching(button) {
  button.disabled = true;
  try {
    const response = await fetch(document.getElementById("vehicles").dataset.fitting);
    if (response.ok) for (const vehicle of (await response.json()).vehicles) selected.add(vehicle);
  } catch {
    // The selection is unchanged, and the button can be pressed again.
  }
  button.disabled = false;
  show();
}

// Selected vehicles on other pages have no checkbox here, so hidden fields are added to the form.
function addHiddenFields() {
  removeHiddenFields();
  const present = new Set(checkboxes().map((box) => box.value));
  for (const vehicle of selected) {
    if (present.has(vehicle)) continue;
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "vehicle", value: vehicle });
    bar.append(field);
  }
}

function removeHiddenFields() {
  for (const field of bar.querySelectorAll('input[type="hidden"][name="vehicle"]')) field.remove();
}

if (bar) {
  // The browser restores checked checkboxes when it restores a page.
  for (const box of checkboxes()) if (box.checked) selected.add(box.value);
  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.matches("[data-choose-all]")) {
      for (const each of checkboxes()) box.checked ? selected.add(each.value) : selected.delete(each.value);
    } else if (box.matches('#vehicle-table input[name="vehicle"]')) {
      box.checked ? selected.add(box.value) : selected.delete(box.value);
    } else return;
    show();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-choose-fitting]");
    if (button) selectAllMatching(button);
  });
  bar.querySelector("[data-choose-none]").addEventListener("click", () => {
    selected.clear();
    show();
  });
  bar.addEventListener("submit", addHiddenFields);
  document.addEventListener("table:updated", show);
  window.addEventListener("pageshow", () => {
    removeHiddenFields();
    show();
  });
  show();
}
