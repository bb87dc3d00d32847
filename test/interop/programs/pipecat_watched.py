"""The calls of examples/pipecat as they are, and when their event loop stood still.

    python pipecat_watched.py EXAMPLE STALLS.json [options of calls.py]
"""

from __future__ import annotations

import asyncio
import json
import sys

from stalls import Stalls

example, path = sys.argv[1:3]
del sys.argv[1:3]
sys.path.insert(0, example)


async def main() -> None:
    import calls

    stalls = Stalls()
    watch = asyncio.create_task(stalls.watch())
    try:
        await calls.main()
    finally:
        watch.cancel()
        with open(path, "w", encoding="utf-8") as file:
            json.dump(stalls.gaps, file)


asyncio.run(main())
