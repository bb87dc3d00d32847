// A route of the API: one description serves requests and writes the OpenAPI document.

import type { Request, Response } from 'express';
import type { Params, ValuesOf } from './params.ts';

export interface RouteCall<S extends Params> {
  /** The `{…}` of the path, decoded; empty where there is none. */
  readonly id: string;
  readonly values: ValuesOf<S>;
  readonly request: Request;
  readonly response: Response;
}

export interface Route {
  /** As in OpenAPI: `/sessions/{key}`. */
  readonly path: string;
  readonly summary: string;
  readonly params: Params;
  /** What the `{…}` of the path is, and what a missing one is called. */
  readonly id?: { readonly name: string; readonly description: string };
  /** Component of the answer; absent for answers that are not JSON. */
  readonly schema?: string;
  /** Other media types of the same answer. */
  readonly alsoAs?: Readonly<Record<string, string>>;
  /** `undefined`: no such thing, or (with `schema` absent) answered already. */
  readonly answer: (call: RouteCall<Params>) => Promise<unknown>;
}

/** Ties the values that a handler sees to the parameters that its route declares. */
export function route<const S extends Params>(
  description: Omit<Route, 'answer' | 'params'> & { readonly params: S },
  answer: (call: RouteCall<S>) => Promise<unknown>,
): Route {
  return { ...description, answer: call => answer(call as unknown as RouteCall<S>) };
}
