/** How many calls may be kept: in files (SQLite) each may come to one that readers hold open. */
export const PINS_MAX = 500;
