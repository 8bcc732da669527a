// Says so when the page can no longer be kept current: the server is away (until it is back), or a part of the page is
// no longer there for this person (until the page is loaded again).
const notice = document.getElementById("not-live");
let gone = false;

function show(state) {
  for (const words of notice.children) words.hidden = words.dataset.when !== state;
}

document.addEventListener("htmx:sendError", () => show("lost"));
document.addEventListener("htmx:responseError", ({ detail }) => {
  gone ||= [403, 404].includes(detail.xhr.status);
  show(gone ? "gone" : "lost");
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.successful) show(gone ? "gone" : "");
});
