// Going back shows what the address says: the page is asked for anew. htmx does so once it runs (refreshOnHistoryMiss);
// a step back while the page is still loading would otherwise change the address alone.
const bare = (address) => address.split("#", 1)[0];
const asked = performance.getEntriesByType("navigation")[0]?.name;
if (asked?.startsWith(location.origin) && bare(asked) !== bare(location.href)) location.reload();
addEventListener("popstate", (event) => {
  if (event.state?.htmx || (event.state && document.readyState !== "complete")) location.reload();
});
