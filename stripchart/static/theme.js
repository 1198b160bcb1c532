// Palettes, and which of them a chart has: its data-theme, else that of the page, else what the reader's system prefers.

// The light orange of old (#FF8000) has a contrast of 2.5:1 on white; this one has over 3:1, as the others have.
export const PALETTES = {
  dark: {
    background: "#000000",
    grid: "#333333",
    text: "#CCCCCC",
    faint: "#8A8A8A",
    alert: "#FFB454",
    band: "#35C7D6",
    warn: "#FFB454",
    alarm: "#FF5C5C",
    traces: ["#FFFF00", "#00FFFF", "#FF00FF", "#00FF00", "#FFA500", "#FF6B6B"],
  },
  light: {
    background: "#FFFFFF",
    grid: "#DDDDDD",
    text: "#333333",
    faint: "#6E6E6E",
    alert: "#9A4B00",
    band: "#0B6E7C",
    warn: "#B35C00",
    alarm: "#C40D1E",
    traces: ["#0000FF", "#FF0000", "#00AA00", "#D96C00", "#8000FF", "#008080"],
  },
};

const prefersDark = globalThis.matchMedia?.("(prefers-color-scheme: dark)");

export function themeOf(wanted) {
  if (wanted === "dark" || wanted === "light") return wanted;
  const page = document.documentElement.dataset.theme;
  if (page === "dark" || page === "light") return page;
  return prefersDark?.matches ? "dark" : "light";
}

// Call back when the page's or the system's theme changes.
export function onThemeChange(callback) {
  prefersDark?.addEventListener("change", callback);
  new MutationObserver(callback).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}
