// The color theme: what the system prefers, until somebody chooses. Not a module: it runs before the page is drawn,
// so that a chosen theme does not flash.
"use strict";

(() => {
  const NAMES = { auto: "Auto", light: "Light", dark: "Dark" };
  const NEXT = { auto: "light", light: "dark", dark: "auto" };

  /** Storage may be forbidden; then the choice lasts as long as the page. */
  function stored() {
    try {
      const theme = localStorage.getItem("guidepost-theme");
      return theme in NAMES ? theme : "auto";
    } catch {
      return "auto";
    }
  }

  function store(theme) {
    try {
      localStorage.setItem("guidepost-theme", theme);
    } catch {
      // Nothing to do: the page has the theme all the same.
    }
  }

  let theme = stored();

  function apply() {
    document.documentElement.dataset.theme = theme;
    document.dispatchEvent(new CustomEvent("themechange"));
  }

  function name() {
    const button = document.getElementById("theme");
    document.getElementById("theme-name").textContent = NAMES[theme];
    button.setAttribute("aria-label", `Color theme: ${NAMES[theme]}. Change to ${NAMES[NEXT[theme]]}`);
    button.title = `Color theme: ${NAMES[theme]}`;
  }

  apply();
  document.addEventListener("DOMContentLoaded", () => {
    name();
    document.getElementById("theme").addEventListener("click", () => {
      theme = NEXT[theme];
      store(theme);
      apply();
      name();
    });
  });
})();
