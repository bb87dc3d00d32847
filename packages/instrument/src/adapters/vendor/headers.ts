// What services say of their own work in the headers of an answer, in the forms that
// are in use. What is no duration is passed on as it is: whether it fits is judged where
// the request's own time is known.
//
//   openai-processing-ms: 412                                    OpenAI
//   x-envoy-upstream-service-time: 398                           behind Envoy (Azure, many others)
//   x-queue-time: 12   x-inference-time: 340   (ms)              Hugging Face inference servers
//   server-timing: queue;dur=12.4, inference;dur=340             W3C Server Timing

import type { VendorTimings } from '../../turn/stage.ts';
import { propertyOf } from '../common/hooks.ts';

const PROCESSING = ['openai-processing-ms', 'x-envoy-upstream-service-time'];
const VALUE_LENGTH_MAX = 2_000;

/** `Headers`, Node's `IncomingHttpHeaders`, or a plain object with lower-case names. */
export type AnswerHeaders = object;

/**
 * Queue and processing by the word of a service's answer: for `stage.end({ vendor })`. What no known
 * header tells is absent; a header that is no number comes as NaN, and is shown as such. Never throws.
 */
export function vendorTimings(headers: AnswerHeaders): VendorTimings {
  try {
    return timingsOf(name => headerOf(headers, name));
  } catch {
    return {};
  }
}

function timingsOf(header: (name: string) => string | undefined): VendorTimings {
  const told = PROCESSING.map(header).find(one => one !== undefined);
  if (told !== undefined) return { processingMs: msOf(told) };
  const queue = header('x-queue-time');
  const inference = header('x-inference-time');
  if (inference !== undefined) return sumOf(queue, inference);
  const timing = header('server-timing');
  return timing === undefined ? {} : serverTiming(timing.slice(0, VALUE_LENGTH_MAX));
}

const sumOf = (queue: string | undefined, inference: string): VendorTimings =>
  queue === undefined
    ? { processingMs: msOf(inference) }
    : { queueMs: msOf(queue), processingMs: msOf(queue) + msOf(inference) };

/** Metrics named for a queue are the queue; `total` is all; else the others are the work. */
function serverTiming(value: string): VendorTimings {
  let [queueMs, workMs, totalMs] = [Number.NaN, Number.NaN, Number.NaN];
  const add = (sum: number, ms: number): number => (Number.isNaN(sum) ? ms : sum + ms);
  for (const metric of value.split(',')) {
    const [name = '', ...params] = metric.split(';').map(part => part.trim());
    const duration = params.find(param => param.startsWith('dur='));
    if (duration === undefined) continue;
    const ms = msOf(duration.slice(4));
    if (/queue|wait/i.test(name)) queueMs = add(queueMs, ms);
    else if (/^total$/i.test(name)) totalMs = ms;
    else workMs = add(workMs, ms);
  }
  const queued = Number.isNaN(queueMs) ? 0 : queueMs;
  const all = Number.isNaN(totalMs) ? workMs + queued : totalMs;
  return {
    ...(Number.isNaN(queueMs) ? {} : { queueMs }),
    ...(Number.isNaN(all) ? {} : { processingMs: all }),
  };
}

const msOf = (text: string): number =>
  /^\s*-?\d+(\.\d+)?\s*(ms)?\s*$/.test(text) ? Number.parseFloat(text) : Number.NaN;

function headerOf(headers: AnswerHeaders, name: string): string | undefined {
  const get: unknown = propertyOf(headers, 'get');
  const value: unknown =
    typeof get === 'function' ? Reflect.apply(get, headers, [name]) : propertyOf(headers, name);
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first : undefined;
}
