// Jaeger's query API under /jaeger: what Jaeger UI and Grafana's Jaeger data source call, so that
// both read this collector unchanged. Errors have Jaeger's shapes, not ours.

import { Router, type Request, type Response } from 'express';
import {
  dependencyRange,
  JaegerParamError,
  legacySearch,
  textOf,
  traceIdOf,
  v3Search,
  valuesOf,
} from '../jaeger/params.ts';
import { ReadyBytes, type Asker } from '../query/answers.ts';

type Fail = (response: Response, status: number, message: string) => void;

const failLegacy: Fail = (response, status, msg) =>
  void response.status(status).json({
    data: null,
    total: 0,
    limit: 0,
    offset: 0,
    errors: [{ code: status, msg }],
  });

const failV3: Fail = (response, status, message) =>
  void response.status(status).json({ error: { httpCode: status, message } });

type Ask = (request: Request) => Promise<unknown>;

export function jaegerRoutes(asker: Asker, nowUnixNs: () => bigint): Router {
  const router = Router();
  legacyRoutes(router, asker, nowUnixNs);
  v3Routes(router, asker);
  router.use((_request, response) =>
    failLegacy(response, 404, 'not part of the API that is served'),
  );
  return router;
}

const query = (request: Request): Readonly<Record<string, unknown>> =>
  request.query as Record<string, unknown>;

function legacyRoutes(router: Router, asker: Asker, nowUnixNs: () => bigint): void {
  const get = (path: string, ask: Ask): void => void router.get(path, answering(ask, failLegacy));
  get('/api/services', () => asker.ask('jaegerServices', { version: 'legacy' }));
  get('/api/services/:service/operations', request =>
    asker.ask('jaegerOperations', { version: 'names', service: String(request.params['service']) }),
  );
  get('/api/operations', request => {
    const service = textOf(query(request), 'service');
    if (service === undefined) throw new JaegerParamError("parameter 'service' is required");
    const spanKind = textOf(query(request), 'spanKind');
    return asker.ask('jaegerOperations', {
      version: 'legacy',
      service,
      ...(spanKind !== undefined && { spanKind }),
    });
  });
  get('/api/traces', async request => {
    const traceIds = valuesOf(query(request), 'traceID').map(traceIdOf);
    if (traceIds.length === 0) {
      const search = legacySearch(query(request), nowUnixNs());
      return asker.ask('jaegerSearch', { version: 'legacy', search });
    }
    const found = await asker.ask('jaegerTraces', { version: 'legacy', traceIds });
    return found ?? { data: [], total: 0, limit: 0, offset: 0, errors: null };
  });
  get('/api/traces/:id', request =>
    asker.ask('jaegerTraces', {
      version: 'legacy',
      traceIds: [traceIdOf(String(request.params['id']))],
    }),
  );
  get('/api/dependencies', request =>
    asker.ask('jaegerDependencies', dependencyRange(query(request), nowUnixNs())),
  );
}

function v3Routes(router: Router, asker: Asker): void {
  const get = (path: string, ask: Ask): void => void router.get(path, answering(ask, failV3));
  get('/api/v3/services', () => asker.ask('jaegerServices', { version: 'v3' }));
  get('/api/v3/operations', request => {
    const spanKind = textOf(query(request), 'span_kind');
    return asker.ask('jaegerOperations', {
      version: 'v3',
      service: textOf(query(request), 'service') ?? '',
      ...(spanKind !== undefined && { spanKind }),
    });
  });
  get('/api/v3/traces', request =>
    asker.ask('jaegerSearch', { version: 'v3', search: v3Search(query(request)) }),
  );
  get('/api/v3/traces/:id', request =>
    asker.ask('jaegerTraces', {
      version: 'v3',
      traceIds: [traceIdOf(String(request.params['id']))],
    }),
  );
}

const answering =
  (ask: Ask, fail: Fail) =>
  async (request: Request, response: Response): Promise<void> => {
    try {
      const answer = await ask(request);
      if (answer === undefined)
        fail(response, 404, fail === failV3 ? 'No traces found' : 'trace not found');
      else if (answer instanceof ReadyBytes) response.type('json').end(answer.bytes);
      else response.json(answer);
    } catch (problem) {
      if (!(problem instanceof JaegerParamError)) throw problem;
      fail(response, 400, problem.message);
    }
  };
