// Messages at the top of a page can be dismissed. The focus goes to the page, so that it isn't lost.
for (const button of document.querySelectorAll("[data-dismiss]")) button.hidden = false;
document.addEventListener("click", ({ target }) => {
  const notice = target.closest("[data-dismiss]")?.closest(".notice");
  if (!notice) return;
  const content = document.getElementById("content");
  notice.remove();
  content.tabIndex = -1;
  content.focus({ preventScroll: true });
});
