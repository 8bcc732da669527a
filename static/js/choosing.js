// Choosing cars in the fleet's table. The choice outlives the table, which is renewed every few seconds.
const bar = document.getElementById("bulk");
const chosen = new Set();

const boxes = () => [...document.querySelectorAll('#car-table input[name="car"]')];

function show() {
  const present = boxes();
  for (const box of present) box.checked = chosen.has(box.value);
  const all = document.querySelector("[data-choose-all]");
  if (all) {
    all.checked = present.length > 0 && present.every((box) => box.checked);
    all.indeterminate = !all.checked && present.some((box) => box.checked);
  }
  bar.hidden = chosen.size === 0;
  bar.querySelector("[data-chosen]").textContent = `${chosen.size} ${chosen.size === 1 ? "car" : "cars"} chosen`;
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
  bar.querySelector("[data-choose-none]").addEventListener("click", () => {
    chosen.clear();
    show();
  });
  document.addEventListener("htmx:afterSettle", show);
  window.addEventListener("pageshow", show);
  show();
}
