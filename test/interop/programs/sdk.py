"""Three spans of a voice agent's turn, sent by the OpenTelemetry SDK for Python.

sdk.py http|grpc host:port      prints the trace's ID
"""

import sys
import time

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

over, endpoint = sys.argv[1:3]
if over == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    exporter = OTLPSpanExporter(endpoint=endpoint, insecure=True)
else:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import Compression, OTLPSpanExporter

    exporter = OTLPSpanExporter(endpoint=f"http://{endpoint}/v1/traces", compression=Compression.Gzip)

provider = TracerProvider(resource=Resource.create({"service.name": "interop-python"}))
provider.add_span_processor(BatchSpanProcessor(exporter))
tracer = provider.get_tracer("interop")
begin_ns = time.time_ns()


def at(ms: int) -> int:
    return begin_ns + ms * 1_000_000


turn = tracer.start_span(
    "turn",
    start_time=at(0),
    attributes={"session.id": f"interop python {over}", "turn.number": 3},
)
within = set_span_in_context(turn)
llm = tracer.start_span(
    "llm",
    within,
    kind=SpanKind.CLIENT,
    start_time=at(10),
    attributes={"temperature": 0.5, "words": ["a", "b"]},
)
llm.add_event("first_token", timestamp=at(110))
llm.set_status(Status(StatusCode.ERROR, "cut off"))
llm.end(at(210))
tts = tracer.start_span("tts", within, start_time=at(220))
tts.end(at(320))
turn.end(at(400))
if not provider.force_flush(10_000):
    sys.exit("not flushed")
provider.shutdown()
print(f"{turn.get_span_context().trace_id:032x}")
