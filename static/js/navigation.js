// On a small screen navigations scroll sideways: the page that is open is brought into view.
for (const row of document.querySelectorAll(".fleet-navigation-inner, .tabs-inner")) {
  const current = row.querySelector("[aria-current]");
  if (current) row.scrollLeft = current.offsetLeft - row.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
}
