// Set the chosen theme before the first paint, to avoid a flash. A classic script, because modules run too late.
try {
  const chosen = localStorage.getItem("rlsweep-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // storage may be blocked; then the system's theme is used
}
