// Everything on the one port: OTLP in, the API out, the viewer, and health.

import type { BudgetList } from '@framescope/protocol';
import express, { type Express, type Request, type Response } from 'express';
import type { ClockName } from '../assemble/clock/session-clocks.ts';
import { clockProbe } from '../receive/clock.ts';
import { takeTrigger, type TriggerBoard } from '../receive/triggers.ts';
import { RPC, status } from '../receive/otlp-answer.ts';
import type { Admission } from '../receive/admission.ts';
import { takeRecording } from '../receive/livekit/recordings.ts';
import { takeReport, WEBHOOK_VENDORS } from '../receive/webhooks/webhooks.ts';
import { otlpHttp } from '../receive/otlp-http.ts';
import type { Forwarding } from '../forward/forwarding.ts';
import type { CallMetrics } from '../metrics/call-metrics.ts';
import { expose } from '../metrics/exposition.ts';
import { ReadyBytes, type Asker } from '../query/answers.ts';
import type { RecordingStore } from '../store/recordings.ts';
import type { Writer } from '../writer/writer.ts';
import type { Access } from './access.ts';
import {
  checkHost,
  login,
  mayChange,
  mayMakeTokens,
  mayRead,
  mayUpload,
  mayWrite,
  ownPagesOnly,
  securityHeaders,
  telemetryOrigins,
} from './guard.ts';
import { ingestTokens } from './ingest-tokens.ts';
import { annotationHandlers, removeAnnotation } from './annotations.ts';
import { budgetsRoute, putBudgetsHandlers } from './budgets.ts';
import { jaegerRoutes } from './jaeger-routes.ts';
import type { LiveHub } from './live.ts';
import { forwardMetrics } from './forward-metrics.ts';
import { forwardRoute } from './forward-route.ts';
import type { Health } from './metrics.ts';
import { API_BASE, openApiDocument } from './openapi.ts';
import { readParams } from './params.ts';
import { pinHandlers, unpinHandler } from './pins.ts';
import { ApiError, problemHandler, sendProblem } from './problem.ts';
import { recordingRoutes } from './recording-routes.ts';
import type { Route } from './route.ts';
import { apiRoutes } from './routes.ts';
import { viewerFiles } from './viewer.ts';

export interface AppPorts {
  readonly writer: Writer;
  readonly health: Health;
  readonly live: LiveHub;
  readonly asker: Asker;
  readonly budgets: () => Promise<BudgetList>;
  readonly calls: CallMetrics;
  readonly clock: Pick<ClockName, 'domain' | 'epoch'>;
  readonly nowNs: () => number;
  readonly triggers: TriggerBoard;
  readonly dataBytes: () => Promise<number>;
  /** Absent: recordings are not kept. */
  readonly recordings?: RecordingStore;
  readonly version: string;
  readonly admission: Admission;
  readonly forwarding: Pick<Forwarding, 'status' | 'restarts'>;
  readonly access: Access;
  readonly isTls: boolean;
  readonly allowedHosts: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly viewerFolder?: string;
  readonly log: (message: string, error?: unknown) => void;
}

export function makeApp(ports: AppPorts): Express {
  const app = bareApp(ports);
  receiveRoutes(app, ports);
  liveKitRoutes(app, ports);
  webhookRoutes(app, ports);
  probeRoutes(app, ports);
  app.get('/login/:word', login(ports.access, ports.isTls));
  changeRoutes(app, ports);
  app.use(mayRead(ports.access));
  metricsRoute(app, ports);
  app.use(
    '/jaeger',
    ownPagesOnly,
    jaegerRoutes(ports.asker, () => BigInt(Date.now()) * 1_000_000n),
  );
  serveApi(app, ports);
  app.use(...viewerFiles(ports.viewerFolder));
  app.use((request: Request, response: Response) => {
    sendProblem(
      response,
      new ApiError(404, 'not_found', `there is nothing at ${cut(request.path)}`),
    );
  });
  app.use(problemHandler(ports.log));
  return app;
}

/** What `--ingest-port` serves: telemetry in, and nothing out but the clock and health. */
export function makeIngestApp(ports: AppPorts): Express {
  const app = bareApp(ports);
  receiveRoutes(app, ports);
  liveKitRoutes(app, ports);
  webhookRoutes(app, ports);
  probeRoutes(app, ports);
  app.use((request: Request, response: Response) => {
    const detail = `this port takes telemetry only: there is nothing at ${cut(request.path)}`;
    sendProblem(response, new ApiError(404, 'not_found', detail));
  });
  app.use(problemHandler(ports.log));
  return app;
}

function bareApp({ allowedHosts }: AppPorts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // `a[b]=c` is no language of ours: a parameter is text or is refused.
  app.set('query parser', 'simple');
  app.use(checkHost(allowedHosts));
  app.use(securityHeaders);
  return app;
}

function receiveRoutes(app: Express, ports: AppPorts): void {
  const { admission, health, access } = ports;
  app.use('/v1', telemetryOrigins(ports.corsOrigins));
  // Open even where there are tokens: it tells the time, and nothing else.
  app.get('/v1/clock', clockProbe(ports.clock, ports.nowNs, ports.triggers));
  app.post('/v1/triggers', mayWrite(access), takeTrigger(ports.triggers));
  for (const signal of ['traces', 'logs', 'metrics'] as const)
    app.post(`/v1/${signal}`, mayWrite(access), otlpHttp(signal, admission, health));
  app.use('/v1', (request: Request, response: Response) => {
    const isKnown = /^\/(traces|logs|metrics|triggers)\/?$/.test(request.path);
    if (isKnown) response.setHeader('Allow', 'POST');
    const message = isKnown
      ? `${request.method} is not taken here; OTLP is sent with POST`
      : `there is nothing at /v1${cut(request.path)}; OTLP traces go to /v1/traces`;
    response
      .status(isKnown ? 405 : 404)
      .type('json')
      .end(status('json', RPC.notFound, message));
  });
}

/** Where LiveKit Agents upload what they observe, when LIVEKIT_OBSERVABILITY_URL names this collector. */
function liveKitRoutes(app: Express, { admission, health, access, recordings }: AppPorts): void {
  const base = '/observability';
  for (const signal of ['traces', 'logs', 'metrics'] as const)
    app.post(`${base}/${signal}/otlp/v0`, mayUpload(access), otlpHttp(signal, admission, health));
  app.post(
    `${base}/recordings/v0`,
    mayUpload(access),
    takeRecording({
      ...(recordings && { store: recordings }),
      nowUnixNs: () => BigInt(Date.now()) * 1_000_000n,
      count: outcome => health.recording(outcome),
    }),
  );
}

/** Where voice platforms send the report of a call when it is over. */
function webhookRoutes(app: Express, ports: AppPorts): void {
  const { admission, health, access } = ports;
  // Vendors send no Origin; a page elsewhere shall not write through a browser of this machine.
  app.use('/webhooks', telemetryOrigins(ports.corsOrigins));
  for (const vendor of WEBHOOK_VENDORS)
    app.post(`/webhooks/${vendor}`, takeReport(vendor, { access, admission, counts: health }));
}

/** Open to all: whether it lives and stores is what a balancer asks, without a token. */
function probeRoutes(app: Express, { health }: AppPorts): void {
  app.get('/healthz', (_request, response) => {
    response.type('text').send('ok\n');
  });
  app.get('/readyz', (_request, response) => {
    const isReady = health.isStoring();
    response
      .status(isReady ? 200 : 503)
      .type('text')
      .send(isReady ? 'storing\n' : 'not storing: the last commit failed; see the log\n');
  });
}

function metricsRoute(
  app: Express,
  { health, writer, live, dataBytes, forwarding, calls }: AppPorts,
): void {
  app.get('/metrics', async (request, response) => {
    const gauges = {
      queuedBytes: writer.queuedBytes(),
      // A store that does not answer is no reason to say nothing of the rest.
      dataBytes: await dataBytes().catch(() => Number.NaN),
      listeners: live.listenerCount(),
    };
    const own = health.text(gauges) + forwardMetrics(forwarding.status(), forwarding.restarts());
    const { type, body } = expose(request.headers.accept, calls, own);
    response.setHeader('Content-Type', type);
    response.setHeader('Vary', 'Accept');
    response.end(body);
  });
}

/** Before reading is asked for: where there are two tokens, one request shows the one that writes. */
function changeRoutes(app: Express, { access, writer, live }: AppPorts): void {
  const nowUnixNs = (): bigint => BigInt(Date.now()) * 1_000_000n;
  const may = mayChange(access);
  const pins = { writer, live, nowUnixNs };
  app.use('/api', ownPagesOnly);
  app.post(`${API_BASE}/annotations`, may, ...annotationHandlers(writer, nowUnixNs));
  app.delete(`${API_BASE}/annotations/:id`, may, removeAnnotation(writer));
  app.post(`${API_BASE}/sessions/:id/pin`, may, ...pinHandlers(pins));
  app.delete(`${API_BASE}/sessions/:id/pin`, may, unpinHandler(pins));
  app.put(`${API_BASE}/budgets`, may, ...putBudgetsHandlers({ writer, nowUnixNs }));
  app.post(`${API_BASE}/ingest-tokens`, mayMakeTokens(access), ...ingestTokens(access));
}

function serveApi(app: Express, ports: AppPorts): void {
  const routes = [
    ...apiRoutes(ports),
    ...recordingRoutes(ports.asker, ports.recordings),
    forwardRoute(ports.forwarding),
    budgetsRoute(ports.budgets),
  ];
  const document = JSON.stringify(openApiDocument(routes, ports.version));
  app.use(API_BASE, (_request, response, next) => {
    response.setHeader('Cache-Control', 'no-store');
    next();
  });
  app.get(`${API_BASE}/openapi.json`, (_request, response) => {
    response.type('json').send(document);
  });
  for (const route of routes) app.get(API_BASE + expressPath(route.path), handlerOf(route));
  app.use('/api', (request: Request) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (!isRead) throw new ApiError(405, 'method_not_allowed', 'the API is read with GET');
    throw new ApiError(
      404,
      'not_found',
      `there is no ${cut(request.originalUrl.split('?')[0]!)}; ${API_BASE}/openapi.json lists what there is`,
    );
  });
}

/** `/sessions/{key}` → `/sessions/:id` */
const expressPath = (path: string): string => path.replace(/\{\w+\}/, ':id');

const handlerOf =
  (route: Route) =>
  async (request: Request, response: Response): Promise<void> => {
    const values = readParams(route.params, request.query as Record<string, unknown>);
    const id = String(request.params['id'] ?? '');
    const answer = await route.answer({ id, values, request, response });
    if (answer !== undefined) send(response, answer);
    else if (route.schema && !response.headersSent)
      throw new ApiError(
        404,
        'not_found',
        route.id ? `there is no ${route.id.name} "${cut(id)}"` : 'nothing is stored for this yet',
      );
  };

/** What a reader thread answers is ready to be sent; its type is JSON unless the route said more. */
function send(response: Response, answer: unknown): void {
  if (!response.hasHeader('Content-Type')) response.type('json');
  if (answer instanceof ReadyBytes) response.end(answer.bytes);
  else if (answer instanceof Uint8Array) response.end(answer);
  else response.send(JSON.stringify(answer));
}

const cut = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}…` : text);
