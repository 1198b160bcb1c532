// Choices that this browser remembers, where it may; the theme is one of them.

const THEME_KEY = "speeddata.theme";

function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function remembered(select, key, apply) {
  try {
    const kept = localStorage.getItem(key);
    if ([...select.options].some((option) => option.value === kept)) select.value = kept;
  } catch {
    // storage is barred: the choice lasts as long as the page
  }
  apply(select.value);
  select.addEventListener("change", () => {
    apply(select.value);
    try {
      localStorage.setItem(key, select.value);
    } catch {
      // as above
    }
  });
}

export const rememberedTheme = (select) => remembered(select, THEME_KEY, setTheme);

// Of a page that has no choice of it.
export function showRememberedTheme() {
  try {
    setTheme(localStorage.getItem(THEME_KEY) ?? "auto");
  } catch {
    setTheme("auto");
  }
}
