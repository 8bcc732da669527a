// Before the first paint: applies the user's theme, else the system's. Tabler reads data-bs-theme.
const root = document.documentElement;
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const apply = () => root.setAttribute("data-bs-theme", root.dataset.theme || (dark.matches ? "dark" : "light"));
apply();
dark.addEventListener("change", apply);
