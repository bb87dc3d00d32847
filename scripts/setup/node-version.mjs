// Which Node runs this: said kindly before anything newer than Node 12 is parsed.

/** The floor of `engines` in package.json; Vite and better-sqlite3 need it. */
const FLOOR_MAJOR = 20;
const FLOOR_MINOR = 19;

/**
 * True when `version` is at least the floor.
 * @param {string} version like '20.19.0'
 */
export function isNodeFit(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > FLOOR_MAJOR || (major === FLOOR_MAJOR && minor >= FLOOR_MINOR);
}

/** Checks the Node that runs now; when it is too old says so and sets the exit code. */
export function requireNode() {
  if (isNodeFit(process.versions.node)) return true;
  console.error(
    `Framescope needs Node ${FLOOR_MAJOR}.${FLOOR_MINOR} or newer; this is ${process.version}.
` + 'Install a newer one from https://nodejs.org (or: nvm install 22) and try again.',
  );
  process.exitCode = 1;
  return false;
}
