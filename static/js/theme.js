// Before the first paint: light or dark as the person chose, else as the system wants it. Tabler reads data-bs-theme.
const root = document.documentElement;
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const apply = () => root.setAttribute("data-bs-theme", root.dataset.theme || (dark.matches ? "dark" : "light"));
apply();
dark.addEventListener("change", apply);
