// The side panel: <a data-panel="address of a fragment"> opens the fragment beside the page instead of the link's page.
// Without a script, on a failure and with a modifier key, the link works as usual. Escape closes the panel, and the focus
// returns to the link. "panel:opened" and "panel:closed" are dispatched on the document.
const panel = document.querySelector("[data-side-panel]");
const body = panel?.querySelector("[data-panel-body]");
let opener = null;
let request = null;

async function open(link) {
  request?.abort();
  const current = (request = new AbortController());
  opener = link;
  panel.hidden = false;
  panel.ariaBusy = "true";
  document.body.dataset.panel = "open";
  try {
    const response = await fetch(link.dataset.panel, { headers: { "HX-Request": "true" }, signal: current.signal });
    if (!response.ok || response.redirected || response.headers.has("HX-Refresh")) throw new Error(`${response.status}`);
    body.innerHTML = await response.text();
  } catch (error) {
    if (error.name !== "AbortError") location.assign(link.href);
    return;
  }
  panel.ariaBusy = null;
  window.htmx?.process(body);
  panel.focus({ preventScroll: true });
  document.dispatchEvent(new CustomEvent("panel:opened", { detail: link }));
}

function close() {
  request?.abort();
  panel.hidden = true;
  body.replaceChildren();
  delete document.body.dataset.panel;
  // The list may have been replaced in the meantime.
  const link = opener?.isConnected ? opener : opener?.id && document.getElementById(opener.id);
  link?.focus();
  opener = null;
  document.dispatchEvent(new CustomEvent("panel:closed"));
}

if (panel) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-panel]");
    if (event.target.closest("[data-panel-close]")) return close();
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open(link);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || panel.hidden || event.defaultPrevented) return;
    if (document.querySelector("dialog[open], details.menu[open], :popover-open")) return;
    close();
  });
}
