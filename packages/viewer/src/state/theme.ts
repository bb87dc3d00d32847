// Light or dark: as the system has it, until the user says otherwise.

const KEY = 'framescope.theme';
const listeners = new Set<() => void>();

function chosen(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // Storage is closed to us in some private windows.
  }
}

const system = (): MediaQueryList => matchMedia('(prefers-color-scheme: dark)');

function show(): void {
  const theme = chosen() ?? (system().matches ? 'dark' : 'light');
  document.documentElement.dataset['theme'] = theme;
  for (const listener of listeners) listener();
}

export function startTheme(): void {
  system().addEventListener('change', show);
  show();
}

export function toggleTheme(): void {
  const next = document.documentElement.dataset['theme'] === 'dark' ? 'light' : 'dark';
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Not kept, but shown.
  }
  document.documentElement.dataset['theme'] = next;
  for (const listener of listeners) listener();
}

/** Calls back when the theme changed, until the returned function is called. */
export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
