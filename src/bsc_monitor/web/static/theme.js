// Before the first paint: the look that was chosen by hand, if one was.
try {
  const chosen = localStorage.getItem("bsc-theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch { /* storage may be off: the system's choice holds */ }
