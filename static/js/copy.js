// Copies what stands in a field. Where the browser does not allow it, the field is selected for copying by hand.
for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  const label = button.querySelector("span:last-child");
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      label.textContent = button.dataset.copied;
    } catch {
      label.textContent = button.dataset.byHand;
    }
  });
}
