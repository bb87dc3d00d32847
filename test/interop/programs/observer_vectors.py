"""examples/pipecat/framescope_observer.py against the test vectors: hashes and IDs as they stand there,
and the records of the vectors written anew, for the real decoder to read.

    python observer_vectors.py FOLDER_OF_EXAMPLE FOLDER_OF_VECTORS
"""

import base64
import json
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import framescope_observer as wire  # noqa: E402

vectors = Path(sys.argv[2])


def read(name: str):
    return json.loads((vectors / name).read_text(encoding="utf-8", errors="surrogatepass"))


wrong = []
counts = {"hash": 0, "id": 0}
for one in read("hash.json"):
    if one["seed"] == 0:
        counts["hash"] += 1
        if wire.murmur3(bytes.fromhex(one["bytes"])).hex() != one["hash"]:
            wrong.append(one)

IDS = {
    "sessionTraceId": lambda session: wire.session_trace_id(session),
    "turnTraceId": lambda trace, stream, tick: wire.turn_trace_id(bytes.fromhex(trace), stream, tick),
    "turnSpanId": lambda trace, stream, tick: wire.turn_span_id(bytes.fromhex(trace), stream, tick),
    "recordSpanId": lambda producer, trace, seq, part: wire.frames_span_id(
        bytes.fromhex(producer), bytes.fromhex(trace), seq, part
    ),
}
for one in read("ids.json"):
    if one["function"] in IDS:
        counts["id"] += 1
        if IDS[one["function"]](*one["args"]).hex() != one["result"]:
            wrong.append(one)

written = []
for one in read("record.json")["accepted"]:
    record = one["record"]
    if record["clockSamples"] or record["quantumNs"] != wire.QUANTUM_NS:
        continue
    rows = [
        (block, column)
        for block in record["blocks"]
        for column in block["columns"]
        if column["startTick"]
    ]
    if any(block["ranges"] for block in record["blocks"]) or any(c.get("late") for _, c in rows):
        continue
    times = [at for _, column in rows for at in column["atNs"]]
    base = wire.quanta(min(times, default=0))
    items = b""
    for block in record["blocks"]:
        items += wire.block(block["stream"], block["sampleRate"], block["direction"] == "down")
        first = 0
        for column in block["columns"]:
            named = column["hop"]
            hop = (named["role"], named["name"], named["nth"], named.get("after"))
            marks = list(zip(column["startTick"], column["endTick"], column["atNs"]))
            if marks:
                made, first = wire.column(hop, marks, base, first)
                items += made
    head = {
        "producer": record["producer"],
        "domain": record["domain"],
        "zero_unix_ns": int(record["zeroUnixNs"]),
        "seq": record["seq"],
        "epoch": record["epoch"],
    }
    made = wire.record(head, record["part"], items, base)
    written.append({"name": one["name"], "bytes": base64.b64encode(made).decode()})

print("framescope: " + json.dumps({"wrong": wrong, "counts": counts, "written": written}))
