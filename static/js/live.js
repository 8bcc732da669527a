// Says so when the page can no longer be kept current, and takes it back when it can.
const notice = document.getElementById("not-live");

function show(lost) {
  if (notice) notice.hidden = !lost;
}

document.addEventListener("htmx:sendError", () => show(true));
document.addEventListener("htmx:responseError", () => show(true));
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) show(false);
});
