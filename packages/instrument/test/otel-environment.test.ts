import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { FramescopeOptions, HttpRequest } from '@framescope/instrument';
import { Framescope } from '@framescope/instrument';
import { afterEach, expect, test, vi } from 'vitest';
import { World } from './support/world.ts';

afterEach(() => vi.unstubAllEnvs());

/** What a scope made in that environment sends for one mark. */
async function sentWith(
  environment: Readonly<Record<string, string>>,
  options: Partial<FramescopeOptions> = {},
): Promise<{ post: HttpRequest | undefined; resource: Record<string, unknown>; codes: string[] }> {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const world = new World();
  const posts: HttpRequest[] = [];
  const scope = new Framescope({
    encoding: 'json',
    tracerProvider: false,
    clock: world.clock(),
    timers: world.timers,
    http: request => {
      if (request.method === 'POST') posts.push(request);
      return Promise.resolve({ status: 200, body: new Uint8Array() });
    },
    onProblem: problem => world.problems.push(problem),
    ...options,
  });
  scope.startSession({ id: 'call' }).stream('mic').hop('receive').mark(320);
  await world.pass(1_100);
  const [post] = posts;
  return { post, resource: resourceOf(post), codes: world.codes() };
}

interface Body {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: object }[] };
  }[];
}

function resourceOf(post: HttpRequest | undefined): Record<string, unknown> {
  if (post === undefined) return {};
  const body = JSON.parse(Buffer.from(post.body!).toString()) as Body;
  const attributes = body.resourceSpans[0]!.resource.attributes;
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

test('endpoint, headers and time limit come from the environment', async () => {
  const { post } = await sentWith({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/base/',
    OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20abc,x-a=1,b d=2',
    OTEL_EXPORTER_OTLP_TIMEOUT: '1500',
  });
  expect(post?.url).toBe('http://collector:4318/base/v1/traces');
  expect(post?.headers).toMatchObject({ authorization: 'Bearer abc', 'x-a': '1' });
  expect(post?.timeoutMs).toBe(1_500);
});

test('what is said of traces wins over what is said of all signals, and the program over both', async () => {
  const environment = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://all:4318',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces:4318/elsewhere',
    OTEL_EXPORTER_OTLP_HEADERS: 'a=1,b=1',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'b=2',
    OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '2000',
  };
  const { post } = await sentWith(environment);
  expect(post).toMatchObject({ url: 'http://traces:4318/elsewhere', timeoutMs: 2_000 });
  expect(post?.headers).toMatchObject({ a: '1', b: '2' });
  const own = await sentWith(environment, { endpoint: 'http://mine:1', headers: { b: '3' } });
  expect(own.post?.url).toBe('http://mine:1/v1/traces');
  expect(own.post?.headers).toMatchObject({ a: '1', b: '3' });
});

test('the usual endpoint of traces says where everything else is, too', async () => {
  const { post } = await sentWith({
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces:4318/v1/traces',
  });
  expect(post?.url).toBe('http://traces:4318/v1/traces');
});

test('service name and resource: the program, then OTEL_SERVICE_NAME, then the attributes', async () => {
  const environment = {
    OTEL_SERVICE_NAME: 'named',
    OTEL_RESOURCE_ATTRIBUTES:
      'service.name=attribute,cloud.region=eu-1,odd=a%2Cb,service.instance.id=pod-7',
  };
  const { resource } = await sentWith(environment);
  expect(resource).toMatchObject({
    'service.name': 'named',
    'cloud.region': 'eu-1',
    'service.instance.id': 'pod-7',
    odd: 'a,b',
  });
  const own = await sentWith(environment, {
    serviceName: 'mine',
    resource: { 'cloud.region': 'us-2' },
  });
  expect(own.resource).toMatchObject({ 'service.name': 'mine', 'cloud.region': 'us-2' });
  vi.unstubAllEnvs();
  expect((await sentWith({})).resource['service.name']).toBe('unknown_service');
});

test('the Resource of the user’s provider can be handed in as it is', async () => {
  const resource = resourceFromAttributes({
    'service.name': 'theirs',
    'service.instance.id': 'i-1',
  });
  const sent = await sentWith({}, { resource });
  expect(sent.resource).toMatchObject({ 'service.name': 'theirs', 'service.instance.id': 'i-1' });
});

test('OTEL_SDK_DISABLED sends nothing, and everything can be called as before', async () => {
  const { post, codes } = await sentWith({ OTEL_SDK_DISABLED: 'true' });
  expect(post).toBeUndefined();
  expect(codes.filter(code => code !== 'bad_argument')).toEqual([]);
  vi.unstubAllEnvs();
  expect((await sentWith({ OTEL_SDK_DISABLED: 'yes' })).post).toBeDefined();
});

test('OTEL_TRACES_EXPORTER=none: no spans of our own; a provider that is given is used', async () => {
  vi.stubEnv('OTEL_TRACES_EXPORTER', 'none');
  const world = new World();
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  const scope = world.scope({ tracerProvider });
  scope.startSession({ id: 'call' }).startTurn().end();
  expect(exporter.getFinishedSpans().map(span => span.name)).toContain('turn');
});

test('what is malformed is left out', async () => {
  const { post, resource } = await sentWith({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'not a url',
    OTEL_EXPORTER_OTLP_TIMEOUT: 'soon',
    OTEL_EXPORTER_OTLP_HEADERS: '=x,novalue,%zz=1,ok=%zz',
    OTEL_RESOURCE_ATTRIBUTES: ',,=,a,__proto__=1,b=2',
    OTEL_SERVICE_NAME: '  ',
  });
  expect(post?.url).toBe('http://127.0.0.1:4318/v1/traces');
  expect(post?.headers['ok']).toBe('%zz');
  expect(resource).toMatchObject({ b: '2', 'service.name': 'unknown_service' });
});

test('an endpoint that is no URL, though it looks like one, is left out', async () => {
  const { post } = await sentWith({
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://host:99999/traces',
  });
  expect(post?.url).toBe('http://127.0.0.1:4318/v1/traces');
});
