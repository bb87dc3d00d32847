// The viewer's files. Its pages are addresses of their own (`/sessions/…`), so
// that any path which is no file answers the one page.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import express, { type Request, type RequestHandler, type Response } from 'express';

/** Where the build is copied to; the same from src/ and from out/. */
const VIEWER_FOLDER: string = fileURLToPath(new URL('../../viewer/', import.meta.url));

const NOT_BUILT = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Framescope</title>
<h1>The collector runs; the viewer is not built</h1>
<p>Telemetry is taken at <code>/v1/traces</code>, and the API answers at
<a href="/api/v1/sessions"><code>/api/v1/sessions</code></a>.</p>
<p>In a clone of the repository, <code>npm start</code> builds the viewer; then reload this page.</p>
</html>
`;

export function viewerFiles(folder: string = VIEWER_FOLDER): readonly RequestHandler[] {
  const files = express.static(folder, {
    index: false,
    // Files under assets/ carry a hash of their content in their names.
    setHeaders: (response, path) =>
      response.setHeader(
        'Cache-Control',
        /[\\/]assets[\\/]/.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
      ),
  });
  return [files, page(folder)];
}

const page =
  (folder: string) =>
  (request: Request, response: Response, next: () => void): void => {
    const isPage = request.method === 'GET' || request.method === 'HEAD';
    // A file that is not there is not a page: a script would get HTML.
    if (!isPage || /\.\w{1,8}$/.test(request.path)) {
      next();
      return;
    }
    response.setHeader('Cache-Control', 'no-cache');
    if (existsSync(`${folder}/index.html`)) response.sendFile('index.html', { root: folder });
    else response.status(200).type('html').send(NOT_BUILT);
  };
