// Going back reloads the page of the URL, also while the page is still loading. (refreshOnHistoryMiss prevents htmx from
// requesting parts of the page in addition.)
const withoutFragment = (address) => address.split("#", 1)[0];
const requestedUrl = performance.getEntriesByType("navigation")[0]?.name;
if (requestedUrl?.startsWith(location.origin) && withoutFragment(requestedUrl) !== withoutFragment(location.href)) {
  location.reload();
}
addEventListener("popstate", (event) => {
  if (event.state?.htmx || (event.state && document.readyState !== "complete")) location.reload();
});
