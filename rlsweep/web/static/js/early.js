// Before the first paint: the theme that the reader chose, so that nothing flashes. A classic script on purpose.
try {
  const chosen = localStorage.getItem("rlsweep-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage may be forbidden; the system's theme it is.
}
