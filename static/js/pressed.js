// Waits with replacing an element while a user presses it: a button that is replaced between press and release gets no click.
// Other modules ask for that with the event "after-press" on document, whose detail is { element, action }.

// Calls `action` at once, or after the press if `element` or something in it is being pressed.
function afterPress(element, action) {
  if (!element.matches(":active")) return action();
  const ended = new AbortController();
  const end = () => {
    ended.abort();
    setTimeout(action); // after the click, which follows the release
  };
  for (const name of ["pointerup", "pointercancel", "keyup"]) {
    document.addEventListener(name, end, { capture: true, signal: ended.signal });
  }
}

document.addEventListener("after-press", ({ detail }) => afterPress(detail.element, detail.action));

// Parts of a page that reload themselves do so again after the press.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { elt, requestConfig, target } = event.detail;
  if (requestConfig.verb !== "get" || elt !== target || !target.matches(":active")) return;
  event.detail.shouldSwap = false;
  afterPress(target, () => target.isConnected && htmx.ajax("GET", target.getAttribute("hx-get"), { source: target }));
});
