// Choosing cars in the fleet's table. The choice outlives the table, which is renewed and has pages.
const bar = document.getElementById("bulk");
const chosen = new Set();

const boxes = () => [...document.querySelectorAll('#car-table input[name="car"]')];

function show() {
  const present = boxes();
  for (const box of present) {
    box.checked = chosen.has(box.value);
    box.closest("tr").classList.toggle("is-chosen", box.checked);
  }
  const whole = present.length > 0 && present.every((box) => box.checked);
  const all = document.querySelector("[data-choose-all]");
  if (all) {
    all.checked = whole;
    all.indeterminate = !whole && present.some((box) => box.checked);
  }
  const fitting = document.querySelector("[data-choose-fitting]");
  if (fitting) fitting.hidden = !whole || chosen.size >= Number(fitting.dataset.total);
  bar.hidden = chosen.size === 0;
  const count = bar.querySelector("[data-chosen]");
  const { one, several } = count.dataset;
  count.textContent = (chosen.size === 1 ? one : several).replace("#", chosen.size.toLocaleString(document.documentElement.lang));
  document.dispatchEvent(new CustomEvent("cars:chosen", { detail: present.filter((box) => box.checked).map(idOf) }));
}

const idOf = (box) => Number(box.closest("tr").dataset.id);

async function chooseFitting(button) {
  button.disabled = true;
  try {
    const response = await fetch(document.getElementById("cars").dataset.fitting);
    if (response.ok) for (const car of (await response.json()).cars) chosen.add(car);
  } catch {
    // The choice stays as it is, and the button can be pressed again.
  }
  button.disabled = false;
  show();
}

// Those on other pages have no box here, so they are written into the form.
function carry() {
  drop();
  const present = new Set(boxes().map((box) => box.value));
  for (const car of chosen) {
    if (present.has(car)) continue;
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "car", value: car });
    bar.append(field);
  }
}

function drop() {
  for (const field of bar.querySelectorAll('input[type="hidden"][name="car"]')) field.remove();
}

if (bar) {
  // A page that the browser brings back has its boxes ticked already.
  for (const box of boxes()) if (box.checked) chosen.add(box.value);
  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.matches("[data-choose-all]")) {
      for (const each of boxes()) box.checked ? chosen.add(each.value) : chosen.delete(each.value);
    } else if (box.matches('#car-table input[name="car"]')) {
      box.checked ? chosen.add(box.value) : chosen.delete(box.value);
    } else return;
    show();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-choose-fitting]");
    if (button) chooseFitting(button);
  });
  bar.querySelector("[data-choose-none]").addEventListener("click", () => {
    chosen.clear();
    show();
  });
  bar.addEventListener("submit", carry);
  document.addEventListener("cars:drawn", show);
  window.addEventListener("pageshow", () => {
    drop();
    show();
  });
  show();
}
