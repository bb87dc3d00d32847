"""Makes calls with Pipecat and local services, traced by Pipecat itself.

    python calls.py                                  # three calls to http://127.0.0.1:4318
    python calls.py --endpoint http://127.0.0.1:4318 --only tool --log out/

The pipeline is the usual one: transport in, STT, context, LLM, TTS, transport out.
"""

import argparse
import asyncio
import dataclasses
import os
import uuid

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from pipecat.pipeline.pipeline import Pipeline
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.frames.frames import EndFrame, LLMRunFrame, TTSSpeakFrame
from pipecat.transports.base_transport import TransportParams
from pipecat.utils.tracing.setup import setup_tracing

from local_services import (
    Caller,
    CallerInput,
    CallerOutput,
    EnergyVAD,
    Exchange,
    LocalLLM,
    LocalSTT,
    LocalTTS,
    RATE,
    Script,
    Tool,
)

try:
    from pipecat.pipeline.worker import PipelineParams, PipelineWorker
except ImportError:  # before 1.3
    from pipecat.pipeline.task import PipelineParams
    from pipecat.pipeline.task import PipelineTask as PipelineWorker
try:
    from pipecat.workers.runner import WorkerRunner as Runner
except ImportError:
    from pipecat.pipeline.runner import PipelineRunner as Runner

from pipecat.turns.user_stop import TurnAnalyzerUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from turn_model import ScriptedTurnModel

CALLS: dict[str, list[Exchange]] = {
    # The end-of-turn model is quick, the transcript is not: the wait is the STT's.
    "slow-stt": [
        Exchange("what are your opening hours", 1_100, "We are open from nine to five. Every day.", stt_ms=900),
        Exchange("and on sundays", 900, "On Sundays we open at ten. Come by.", stt_ms=700, pauses_ms=300),
    ],
    # The other way round: the model takes its time.
    "plain": [
        Exchange("hello there", 900, "Hello, how can I help you today? Just ask.", stt_ms=300, turn_model_ms=250),
        Exchange("tell me a joke", 900, "A frame walks into a jitter buffer. It waits.", llm_first_ms=500, pauses_ms=300),
    ],
    "tool": [
        Exchange(
            "is there a table for two tonight",
            1_300,
            "Yes, there is one at eight. Shall I book it?",
            tool=Tool("find_table", 1_500, filler="One moment please."),
            answer_ms=800,
        ),
        Exchange(
            "how much is the menu",
            900,
            "The menu is forty euros. Wine is extra.",
            tool=Tool("find_price", 400),
            pauses_ms=300,
        ),
    ],
    "interruption": [
        Exchange("read me the terms", 1_000, "These are the terms and there are many. Listen.", answer_ms=4_000),
        Exchange("stop please", 800, "Of course. I stop.", interrupts_ms=900),
    ],
    "hang-up": [
        Exchange("good evening", 900, "Good evening to you. What can I do?"),
        Exchange("are you still there", 900, "I am. Sorry.", llm_first_ms=6_000, pauses_ms=300, hangs_up_ms=1_500),
    ],
}


async def call(name: str, script: Script, conversation_id: str, observers=(), traces=True):
    params = TransportParams(
        audio_in_enabled=True,
        audio_out_enabled=True,
        audio_in_sample_rate=RATE,
        audio_out_sample_rate=RATE,
        audio_out_10ms_chunks=2,
    )
    mic = CallerInput(script, params)
    ear = CallerOutput(script, params)
    llm = LocalLLM(script)
    tts = LocalTTS(script)
    register_tools(llm, tts, script)
    context = LLMContext([{"role": "system", "content": "You are brief."}])
    turn_model = ScriptedTurnModel(script)
    pair = LLMContextAggregatorPair(
        context,
        user_params=LLMUserAggregatorParams(
            vad_analyzer=EnergyVAD(),
            user_turn_strategies=UserTurnStrategies(
                stop=[TurnAnalyzerUserTurnStopStrategy(turn_analyzer=turn_model)]
            ),
        ),
    )
    pipeline = Pipeline([mic, LocalSTT(script), pair.user(), llm, tts, ear, pair.assistant()])
    worker = PipelineWorker(
        pipeline,
        params=PipelineParams(enable_metrics=True, enable_usage_metrics=True),
        enable_tracing=traces,
        conversation_id=conversation_id,
        additional_span_attributes={"call.kind": name},
        observers=list(observers),
    )

    async def talk():
        await asyncio.sleep(0.3)
        if script.greeting is not None:
            script.log.add("greeting_asked")
            await worker.queue_frames([LLMRunFrame()])
        await Caller(script, mic, ear).run()
        if script.now.hangs_up_ms is not None:
            await worker.cancel()
        else:
            await asyncio.sleep(0.2)
            await worker.queue_frames([EndFrame()])

    runner = Runner(handle_sigint=False)
    talking = asyncio.create_task(talk())
    if hasattr(runner, "add_workers"):
        await runner.add_workers(worker)
        await runner.run()
    else:
        await runner.run(worker)
    await talking


def register_tools(llm: LocalLLM, tts: LocalTTS, script: Script):
    for exchange in script.exchanges:
        if exchange.tool is None:
            continue
        tool = exchange.tool

        async def run(params, tool=tool):
            script.log.add("tool_started", name=tool.name)
            if tool.filler is not None:
                script.log.add("filler", text=tool.filler)
                await tts.queue_frame(TTSSpeakFrame(tool.filler))
            await asyncio.sleep(tool.ms / 1000)
            script.log.add("tool_ended", name=tool.name)
            await params.result_callback({"result": "yes"})

        llm.register_function(tool.name, run)


async def main():
    options = argparse.ArgumentParser(description="Calls with Pipecat and local services.")
    options.add_argument(
        "--endpoint",
        default=os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
        help="an OTLP/HTTP collector; else OTEL_EXPORTER_OTLP_ENDPOINT",
    )
    options.add_argument("--only", choices=sorted(CALLS), help="this call alone")
    options.add_argument("--greeting", action="store_true", help="the agent speaks first")
    options.add_argument("--less-stt", type=int, default=0, metavar="MS", help="the recogniser is so much quicker")
    options.add_argument("--log", help="a folder for what was really done and heard")
    options.add_argument("--tracing", choices=["pipecat", "openinference"], default="pipecat", help="whose spans")
    options.add_argument("--frames", action="store_true", help="every frame's hops too (framescope_observer.py)")
    given = options.parse_args()

    setup_tracing("pipecat-example", OTLPSpanExporter(f"{given.endpoint}/v1/traces"))
    if given.tracing == "openinference":
        from openinference.instrumentation.pipecat import PipecatInstrumentor

        PipecatInstrumentor().instrument()
    for name in [given.only] if given.only else list(CALLS):
        exchanges = [
            dataclasses.replace(one, stt_ms=one.stt_ms - given.less_stt) for one in CALLS[name]
        ]
        script = Script(exchanges, greeting="Welcome to the example." if given.greeting else None)
        conversation_id = f"pipecat {name} {uuid.uuid4().hex[:8]}"
        observers = []
        if given.frames:
            from framescope_observer import FramescopeObserver

            observers.append(FramescopeObserver(given.endpoint, conversation_id))
        print(f"calling: {conversation_id}", flush=True)
        await call(name, script, conversation_id, observers, given.tracing == "pipecat")
        if given.log:
            os.makedirs(given.log, exist_ok=True)
            script.log.write(os.path.join(given.log, f"{name}.json"))
            script.record(os.path.join(given.log, f"{name}.wav"))
    from opentelemetry import trace

    trace.get_tracer_provider().force_flush()
    print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
