// Going back shows what the address says: the page is asked for anew, also when the step back comes while it is still
// loading. (refreshOnHistoryMiss keeps htmx from asking for parts of it beside this.)
const bare = (address) => address.split("#", 1)[0];
const asked = performance.getEntriesByType("navigation")[0]?.name;
if (asked?.startsWith(location.origin) && bare(asked) !== bare(location.href)) location.reload();
addEventListener("popstate", (event) => {
  if (event.state?.htmx || (event.state && document.readyState !== "complete")) location.reload();
});
