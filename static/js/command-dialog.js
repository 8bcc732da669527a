// The question before a command: opens when the server asks it, closes when it was answered.
const dialog = document.getElementById("command-dialog");

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== dialog || !dialog.firstElementChild) return;
  if (!dialog.open) dialog.showModal();
  const first = dialog.querySelector("[autofocus]");
  first?.focus();
  first?.removeAttribute("autofocus"); // or htmx would call the focus back a moment later, from where somebody types by then
});
document.addEventListener("command-asked", () => dialog.close());
dialog.addEventListener("click", (event) => {
  if (!event.target.closest("[data-close]")) return;
  event.preventDefault();
  dialog.close();
});
// A password must not stay in the page.
dialog.addEventListener("close", () => dialog.replaceChildren());
