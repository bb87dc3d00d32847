// `GET /api/v1/forward`: how far behind each target is, and what it last said.

import type { Forwarding } from '../forward/forwarding.ts';
import { route, type Route } from './route.ts';

export const forwardRoute = (forwarding: Pick<Forwarding, 'status'>): Route =>
  route(
    {
      path: '/forward',
      summary: 'Targets that spans are handed on to (--forward), each with its lag and counts.',
      params: {},
      schema: 'ForwardList',
    },
    () => Promise.resolve({ items: forwarding.status() }),
  );
