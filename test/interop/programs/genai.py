"""One answer with a tool, as users of two instrumentations have it: a model server is asked for a tool, then
for the words, streamed.

    python genai.py openai-v2|logfire MODEL_URL OTLP_URL SESSION

`openai-v2`: OpenTelemetry's own instrumentation of the client `openai`, inside an `invoke_agent` span of the
user's. `logfire`: Logfire with Pydantic AI, which makes that span itself.
"""

import os
import sys
import time

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

which, model_url, otlp_url, session = sys.argv[1:]
os.environ["OPENAI_API_KEY"] = "none"
os.environ["OPENAI_BASE_URL"] = f"{model_url}/v1"
TOOL_S = 0.2


def exporter() -> BatchSpanProcessor:
    return BatchSpanProcessor(OTLPSpanExporter(f"{otlp_url}/v1/traces"))


def with_openai_v2() -> None:
    from openai import OpenAI
    from opentelemetry import trace
    from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    provider = TracerProvider(resource=Resource.create({"service.name": "genai-agent"}))
    provider.add_span_processor(exporter())
    trace.set_tracer_provider(provider)
    OpenAIInstrumentor().instrument()
    tracer = trace.get_tracer("my-agent")
    client = OpenAI(max_retries=0)
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]
    messages: list = [{"role": "user", "content": "Will it rain?"}]
    named = {"gen_ai.operation.name": "invoke_agent", "session.id": session}
    with tracer.start_as_current_span("invoke_agent", attributes=named):
        asked = client.chat.completions.create(model="local-model", messages=messages, tools=tools)
        message = asked.choices[0].message
        call = message.tool_calls[0]
        operation = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather"}
        with tracer.start_as_current_span("execute_tool weather", attributes=operation):
            time.sleep(TOOL_S)
        messages += [message, {"role": "tool", "tool_call_id": call.id, "content": "rain"}]
        stream = client.chat.completions.create(
            model="local-model",
            messages=messages,
            tools=tools,
            stream=True,
            stream_options={"include_usage": True},
        )
        for _ in stream:
            pass
    provider.shutdown()


def with_logfire() -> None:
    import logfire
    from pydantic_ai import Agent

    logfire.configure(
        send_to_logfire=False,
        console=False,
        service_name="logfire-agent",
        additional_span_processors=[exporter()],
    )
    logfire.instrument_pydantic_ai()
    agent = Agent("openai-chat:local-model", name="weather-agent")

    @agent.tool_plain
    def weather() -> str:
        time.sleep(TOOL_S)
        return "rain"

    import asyncio

    async def answer() -> None:
        with logfire.set_baggage(**{"session.id": session}):
            async with agent.run_stream("Will it rain?", conversation_id=session) as result:
                async for _ in result.stream_text(debounce_by=None):
                    pass

    asyncio.run(answer())
    logfire.shutdown()


{"openai-v2": with_openai_v2, "logfire": with_logfire}[which]()
