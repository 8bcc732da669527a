// The dialog before a command: opens when the server sends it, and closes after the command was created.
const dialog = document.getElementById("command-dialog");

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== dialog || !dialog.firstElementChild) return;
  if (!dialog.open) dialog.showModal();
  const first = dialog.querySelector("[autofocus]");
  first?.focus();
  // Otherwise htmx would focus the field again a moment later, while the user may already be typing elsewhere.
  first?.removeAttribute("autofocus");
});
document.addEventListener("command:created", () => dialog.close());
dialog.addEventListener("click", (event) => {
  if (!event.target.closest("[data-close]")) return;
  event.preventDefault();
  dialog.close();
});
// Removes the password from the page.
dialog.addEventListener("close", () => dialog.replaceChildren());
