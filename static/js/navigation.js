// On a small screen the navigation scrolls sideways: the page that is open is brought into view.
const row = document.querySelector(".fleet-navigation-inner");
const current = row?.querySelector("[aria-current]");
if (current) row.scrollLeft = current.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
