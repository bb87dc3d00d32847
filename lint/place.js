// Where a file stands: which package, and which path under its src.

/** `…/packages/NAME/src/PATH`, also under the temporary folders of the lint tests. */
const PACKAGE_SOURCE = /(?:^|[\\/])packages[\\/]([^\\/]+)[\\/]src[\\/](.+)$/;
const OTHER_SOURCE = /(?:^|[\\/])(?:examples[\\/][^\\/]+|bench)[\\/]src[\\/](.+)$/;

/**
 * The package and the path under its `src/`, with forward slashes; undefined for any other file.
 * Examples and benches come with the package name `example` and `bench`.
 */
export function sourcePlace(filename) {
  const inPackage = PACKAGE_SOURCE.exec(filename);
  if (inPackage) return { package: inPackage[1], path: inPackage[2].replaceAll('\\', '/') };
  const other = OTHER_SOURCE.exec(filename);
  if (!other) return undefined;
  const isBench = /[\\/]bench[\\/]src[\\/]/.test(filename);
  return { package: isBench ? 'bench' : 'example', path: other[1].replaceAll('\\', '/') };
}

/** True for `x.test.ts` but not for `x.e2e.test.ts`. */
export function isUnitTest(filename) {
  return filename.endsWith('.test.ts') && !filename.endsWith('.e2e.test.ts');
}
