"""When the event loop of a program was held up, by itself or by the machine.

A task of the loop asks to be woken every 2 ms and keeps each gap that was longer than it should be: in
it nothing else of the loop ran either, so what was then told and what was then logged may lie so far
apart. Read by `stalls.ts`; the same for Node is in `stalls.mjs`.
"""

from __future__ import annotations

import asyncio
import time

PERIOD_S = 0.002
# asyncio wakes up to 1 ms late on an idle machine.
GAP_NS = 3_500_000


class Stalls:
    """`gaps`: [from, to] in Unix ns as strings, in order."""

    def __init__(self) -> None:
        self.gaps: list[tuple[str, str]] = []

    async def watch(self) -> None:
        before = time.time_ns()
        while True:
            await asyncio.sleep(PERIOD_S)
            now = time.time_ns()
            if now - before > GAP_NS:
                self.gaps.append((str(before), str(now)))
            before = now
