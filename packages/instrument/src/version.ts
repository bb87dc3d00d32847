/** Of this package: the version of the instrumentation scope. A test keeps it equal to package.json. */
export const VERSION = '0.1.0';
