// Copies the text of a field or an element. If the browser doesn't allow that, the text is selected for manual copying.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const label = button.querySelector("span:last-child");
  if (source.select) source.select();
  else getSelection().selectAllChildren(source);
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    label.textContent = button.dataset.copied;
  } catch {
    label.textContent = button.dataset.byHand;
  }
});
