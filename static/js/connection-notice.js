// Shows a notice when the page can't be updated: the server is unreachable (until a request succeeds), or the user has
// lost access to part of the page (until the page is reloaded).
const notice = document.getElementById("not-live");
let gone = false;

function show(state) {
  for (const text of notice.children) text.hidden = text.dataset.when !== state;
}

document.addEventListener("htmx:sendError", () => show("lost"));
document.addEventListener("htmx:responseError", ({ detail }) => {
  gone ||= [403, 404].includes(detail.xhr.status);
  show(gone ? "gone" : "lost");
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.successful) show(gone ? "gone" : "");
});
