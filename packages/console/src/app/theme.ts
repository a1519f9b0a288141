/** Light or dark: as the system is set, until the user chooses. */
export type Theme = 'light' | 'dark';

const KEY = 'headframe.theme';
const system = window.matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

export function currentTheme(): Theme {
  const chosen = localStorage.getItem(KEY);
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return system.matches ? 'dark' : 'light';
}

export function setTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  show();
}

export function subscribeToTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Applies the theme now, and whenever the system or another tab changes it. */
export function followTheme(): void {
  show();
  system.addEventListener('change', show);
  window.addEventListener('storage', ({ key }) => key === KEY && show());
}

function show(): void {
  document.documentElement.dataset.theme = currentTheme();
  listeners.forEach((listener) => listener());
}
