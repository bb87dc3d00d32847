"""A scripted conversation through unmodified LiveKit Agents (Python), with local services.

    python agent.py SCRIPT.json

The services (VAD, speech-to-text, model, text-to-speech, turn detector, realtime model) are built
on LiveKit's own base classes, need no key and no network, and take as long as the script says; the
sound goes through inputs and outputs of LiveKit's own interfaces, in real time. What really
happened is written to stdout, one JSON object a line, with Unix nanoseconds, and when its event loop
stood still: that is what the ledger is held against. Spans go where OTEL_EXPORTER_OTLP_ENDPOINT says (or LIVEKIT_OBSERVABILITY_URL
with "observability": true), as any user's would.

The script: see `scripts.ts`. All times in ms.
"""

from __future__ import annotations

import asyncio
import json
import math
import struct
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from livekit import rtc
from livekit.agents import Agent, AgentSession, JobContext, function_tool, llm, stt, tts, utils, vad
from livekit.agents.telemetry import set_tracer_provider
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN
from livekit.agents.voice import io
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

sys.path.append(str(Path(__file__).parents[1]))
from stalls import Stalls

RATE = 16_000
FRAME_MS = 10
FRAME_SAMPLES = RATE * FRAME_MS // 1000
VOICE = b"".join(
    struct.pack("<h", int(9000 * math.sin(2 * math.pi * 220 * i / RATE)))
    for i in range(FRAME_SAMPLES)
)
SILENCE = bytes(2 * FRAME_SAMPLES)


def log(what: str, turn: int | None = None, **more: Any) -> None:
    print(
        json.dumps({"what": what, "turn": turn, "unixNs": str(time.time_ns()), **more}), flush=True
    )


def frame_of(data: bytes, rate: int = RATE) -> rtc.AudioFrame:
    return rtc.AudioFrame(
        data=data, sample_rate=rate, num_channels=1, samples_per_channel=len(data) // 2
    )


def is_voiced(frame: rtc.AudioFrame) -> bool:
    return any(frame.data[i] != 0 for i in range(1, min(40, len(frame.data))))


class Conversation:
    """What the script says next, and what the services have to say about it."""

    def __init__(self, script: dict[str, Any]) -> None:
        self.script = script
        self.turns: list[dict[str, Any]] = script["turns"]
        self.at = -1
        self.voiced = False
        self.agent_spoke = asyncio.Event()
        self.agent_done = asyncio.Event()
        self.calls = 0

    @property
    def turn(self) -> dict[str, Any]:
        return self.turns[max(self.at, 0)]


class Microphone(io.AudioInput):
    """Frames of 10 ms in real time: a tone while the user speaks, zeros else."""

    def __init__(self, talk: Conversation) -> None:
        super().__init__(label="script")
        self._talk = talk
        self._frames = 0
        self._start = time.monotonic()
        self._was_voiced = False

    async def __anext__(self) -> rtc.AudioFrame:
        self._frames += 1
        due = self._start + self._frames * FRAME_MS / 1000
        await asyncio.sleep(max(0, due - time.monotonic()))
        voiced = self._talk.voiced
        if self._was_voiced and not voiced:
            log("speech_ended", self._talk.at, atUnixNs=str(self._voiced_at))
        elif voiced and not self._was_voiced:
            log("speech_started", self._talk.at)
        self._was_voiced = voiced
        if voiced:
            self._voiced_at = time.time_ns()
        return frame_of(VOICE if voiced else SILENCE)


class Speaker(io.AudioOutput):
    """Plays in real time, as a room's track does, and says when it began and ended."""

    def __init__(self, talk: Conversation) -> None:
        super().__init__(
            label="script", capabilities=io.AudioOutputCapabilities(pause=True), sample_rate=RATE
        )
        self._talk = talk
        self._queued = 0.0
        self._started: float | None = None
        self._is_voiced = False
        self._task: asyncio.Task[None] | None = None
        self._cleared = asyncio.Event()

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if self._started is None:
            self._started = time.time()
            log("first_frame_sent", self._talk.at)
            self.on_playback_started(created_at=self._started)
            self._talk.agent_spoke.set()
        if not self._is_voiced and is_voiced(frame):
            self._is_voiced = True
            log("first_voiced_sent", self._talk.at, afterMs=round(self._queued * 1000))
        self._queued += frame.duration

    def flush(self) -> None:
        super().flush()
        if self._started is not None and self._task is None:
            self._task = asyncio.create_task(self._play_out())

    async def _play_out(self) -> None:
        left = self._started + self._queued - time.time()
        interrupted = False
        try:
            await asyncio.wait_for(self._cleared.wait(), max(0.0, left))
            interrupted = True
        except asyncio.TimeoutError:
            pass
        self._finish(interrupted)

    def _finish(self, interrupted: bool) -> None:
        position = min(self._queued, time.time() - (self._started or time.time()))
        self._started, self._queued, self._task, self._is_voiced = None, 0.0, None, False
        self._cleared.clear()
        log("playback_ended", self._talk.at, interrupted=interrupted)
        # What was cut off is no answer.
        if not interrupted:
            self._talk.agent_done.set()
        self.on_playback_finished(playback_position=position, interrupted=interrupted)

    def clear_buffer(self) -> None:
        if self._task is not None:
            self._cleared.set()
        elif self._started is not None:
            self._finish(True)


class LocalVAD(vad.VAD):
    """By energy: a frame is voiced or it is not, so it is never wrong and never late."""

    def __init__(self, talk: Conversation) -> None:
        super().__init__(capabilities=vad.VADCapabilities(update_interval=FRAME_MS / 1000))
        self.talk = talk
        self.silence = talk.script.get("vadSilenceMs", 200) / 1000

    def stream(self) -> vad.VADStream:
        return LocalVADStream(self)


class LocalVADStream(vad.VADStream):
    async def _main_task(self) -> None:
        owner: LocalVAD = self._vad  # type: ignore[assignment]
        speaking, speech, silence, index = False, 0.0, 0.0, 0
        kind = vad.VADEventType
        async for frame in self._input_ch:
            if not isinstance(frame, rtc.AudioFrame):
                continue
            index += frame.samples_per_channel
            voiced = is_voiced(frame)
            speech = speech + frame.duration if voiced or (speaking and silence > 0) else speech
            silence = 0.0 if voiced else silence + frame.duration
            if not voiced and not speaking:
                speech = 0.0

            def send(of: Any, speaking: bool, frame: rtc.AudioFrame = frame) -> None:
                self._event_ch.send_nowait(
                    vad.VADEvent(
                        type=of,
                        samples_index=index,
                        timestamp=index / RATE,
                        speech_duration=speech,
                        silence_duration=silence,
                        frames=[frame],
                        probability=1.0 if is_voiced(frame) else 0.0,
                        speaking=speaking,
                        raw_accumulated_silence=silence,
                        raw_accumulated_speech=speech if silence == 0 else 0.0,
                    )
                )

            send(kind.INFERENCE_DONE, speaking)
            if voiced and not speaking and speech >= 0.05:
                speaking = True
                send(kind.START_OF_SPEECH, True)
            elif speaking and silence >= owner.silence:
                speaking = False
                log("vad_ended", owner.talk.at)
                send(kind.END_OF_SPEECH, False)
                speech = 0.0


class LocalSTT(stt.STT):
    """Its final transcript comes as long after the last voiced frame as the script says."""

    def __init__(self, talk: Conversation) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))
        self.talk = talk

    @property
    def model(self) -> str:
        return "local-stt"

    @property
    def provider(self) -> str:
        return "local"

    async def _recognize_impl(self, *args: Any, **kwargs: Any) -> stt.SpeechEvent:
        raise NotImplementedError

    def stream(self, *, language=NOT_GIVEN, conn_options=DEFAULT_API_CONNECT_OPTIONS):
        return LocalSTTStream(stt=self, conn_options=conn_options)


class LocalSTTStream(stt.SpeechStream):
    async def _run(self) -> None:
        talk: Conversation = self._stt.talk  # type: ignore[attr-defined]
        was_voiced = False
        pending: list[asyncio.Task[None]] = []
        async for frame in self._input_ch:
            if not isinstance(frame, rtc.AudioFrame):
                continue
            voiced = is_voiced(frame)
            if was_voiced and not voiced:
                pending.append(asyncio.create_task(self._finish(talk, talk.at, time.monotonic())))
            was_voiced = voiced
        await asyncio.gather(*pending)

    async def _finish(self, talk: Conversation, at: int, ended: float) -> None:
        turn = talk.turns[at]
        text = turn["text"]
        interim = turn.get("interimMs")
        if interim is not None:
            await asyncio.sleep(max(0, ended + interim / 1000 - time.monotonic()))
            self._send(stt.SpeechEventType.INTERIM_TRANSCRIPT, text)
        await asyncio.sleep(max(0, ended + turn["sttMs"] / 1000 - time.monotonic()))
        log("transcript_final", at)
        self._send(stt.SpeechEventType.FINAL_TRANSCRIPT, text)

    def _send(self, kind: Any, text: str) -> None:
        if self._event_ch.closed:
            return
        data = stt.SpeechData(language="en", text=text, confidence=0.9)
        self._event_ch.send_nowait(stt.SpeechEvent(type=kind, alternatives=[data]))


class LocalLLM(llm.LLM):
    def __init__(self, talk: Conversation) -> None:
        super().__init__()
        self.talk = talk

    @property
    def model(self) -> str:
        return "local-llm"

    @property
    def provider(self) -> str:
        return "local"

    def chat(self, *, chat_ctx, tools=None, conn_options=DEFAULT_API_CONNECT_OPTIONS, **_: Any):
        return LocalLLMStream(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class LocalLLMStream(llm.LLMStream):
    async def _run(self) -> None:
        talk: Conversation = self._llm.talk  # type: ignore[attr-defined]
        at, turn = talk.at, talk.turn
        items = self._chat_ctx.items
        after_tool = bool(items) and items[-1].type == "function_call_output"
        tool = turn.get("tool")
        step = turn.get("afterTool", {}) if after_tool else turn
        log("model_requested", at, afterTool=after_tool)
        if turn.get("failFirstMs") is not None and not turn.get("hasFailed"):
            turn["hasFailed"] = True
            await asyncio.sleep(turn["failFirstMs"] / 1000)
            log("attempt_failed", at)
            from livekit.agents import APIConnectionError

            raise APIConnectionError("the script lets this attempt fail")
        await asyncio.sleep(step["ttftMs"] / 1000)
        log("first_token", at, afterTool=after_tool)
        request = f"req-{uuid.uuid4().hex[:8]}"
        words = step.get("reply", "").split(" ") if step.get("reply") else []
        for word in words:
            delta = llm.ChoiceDelta(role="assistant", content=word + " ")
            self._event_ch.send_nowait(llm.ChatChunk(id=request, delta=delta))
            await asyncio.sleep(step.get("wordMs", 20) / 1000)
        if tool and not after_tool:
            call = llm.FunctionToolCall(
                name=tool["name"], arguments="{}", call_id=f"call-{uuid.uuid4().hex[:6]}"
            )
            delta = llm.ChoiceDelta(role="assistant", tool_calls=[call])
            self._event_ch.send_nowait(llm.ChatChunk(id=request, delta=delta))
        usage = llm.CompletionUsage(
            completion_tokens=max(1, len(words)), prompt_tokens=40, total_tokens=40 + len(words)
        )
        self._event_ch.send_nowait(llm.ChatChunk(id=request, usage=usage))


class LocalTTS(tts.TTS):
    def __init__(self, talk: Conversation) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=True), sample_rate=RATE, num_channels=1
        )
        self.talk = talk

    @property
    def model(self) -> str:
        return "local-voice"

    @property
    def provider(self) -> str:
        return "local"

    def synthesize(self, text: str, *, conn_options=DEFAULT_API_CONNECT_OPTIONS):
        raise NotImplementedError

    def stream(self, *, conn_options=DEFAULT_API_CONNECT_OPTIONS):
        return LocalTTSStream(tts=self, conn_options=conn_options)


class LocalTTSStream(tts.SynthesizeStream):
    """Collects to the end of a sentence, then is asked, as services with sentences are."""

    async def _run(self, output: tts.AudioEmitter) -> None:
        talk: Conversation = self._tts.talk  # type: ignore[attr-defined]
        output.initialize(
            request_id=f"tts-{uuid.uuid4().hex[:8]}",
            sample_rate=RATE,
            num_channels=1,
            mime_type="audio/pcm",
            frame_size_ms=20,
            stream=True,
        )
        output.start_segment(segment_id=uuid.uuid4().hex[:8])
        text, is_first = "", True
        async for token in self._input_ch:
            if isinstance(token, str):
                text += token
                if not text.rstrip().endswith((".", "!", "?")):
                    continue
            if text.strip():
                await self._speak(output, talk, text.strip(), is_first)
                text, is_first = "", False
        if text.strip():
            await self._speak(output, talk, text.strip(), is_first)
        output.end_segment()

    async def _speak(self, output: Any, talk: Conversation, text: str, is_first: bool) -> None:
        at, turn = talk.at, talk.turn
        self._mark_started()
        if is_first:
            log("text_sent", at, text=text)
        await asyncio.sleep(turn.get("ttfbMs", 150) / 1000)
        if is_first:
            log("first_audio", at)
        silent = turn.get("leadingSilenceMs", 0) // FRAME_MS if is_first else 0
        length = max(4, len(text) * turn.get("msACharacter", 20) // FRAME_MS)
        output.push(SILENCE * silent + VOICE * length)
        output.flush()


class LocalTurnDetector:
    """Sure of itself, after the time that the script says."""

    def __init__(self, talk: Conversation, ms: int) -> None:
        self._talk, self._ms = talk, ms

    @property
    def model(self) -> str:
        return "local-eou"

    @property
    def provider(self) -> str:
        return "local"

    async def unlikely_threshold(self, language: Any) -> float | None:
        return 0.1

    async def backchannel_threshold(self, language: Any) -> float | None:
        return None

    async def supports_language(self, language: Any) -> bool:
        return True

    async def predict_end_of_turn(self, chat_ctx: Any, *, timeout: float | None = None) -> float:
        await asyncio.sleep(self._ms / 1000)
        log("detector_answered", self._talk.at)
        return 0.02 if self._talk.turn.get("isUnlikely") else 0.93


class ScriptedAgent(Agent):
    def __init__(self, talk: Conversation, name: str = "first") -> None:
        super().__init__(instructions=f"You are the {name} agent of a script.", id=name)
        self._talk = talk
        self._name = name

    async def on_enter(self) -> None:
        if self._name != "first":
            log("agent_entered", self._talk.at, agent=self._name)
            return
        greeting = self._talk.script.get("greeting")
        if greeting:
            self.session.say(greeting)

    async def on_user_turn_completed(self, turn_ctx: Any, new_message: Any) -> None:
        ms = self._talk.turn.get("handlerMs")
        log("turn_completed", self._talk.at)
        if ms:
            await asyncio.sleep(ms / 1000)

    @function_tool
    async def look_up(self) -> str:
        """Looks something up."""
        at, tool = self._talk.at, self._talk.turn["tool"]
        log("tool_started", at)
        if tool.get("filler"):
            self.session.say(tool["filler"])
        await asyncio.sleep(tool["ms"] / 1000)
        log("tool_ended", at)
        return "It will rain."

    @function_tool
    async def hand_over(self) -> Any:
        """Hands over to a colleague."""
        log("tool_started", self._talk.at)
        log("tool_ended", self._talk.at)
        return ScriptedAgent(self._talk, "second"), "The colleague takes over."


async def speak(talk: Conversation, ms: int) -> None:
    talk.voiced = True
    await asyncio.sleep(ms / 1000)
    talk.voiced = False


async def play(talk: Conversation, session: AgentSession) -> None:
    if talk.script.get("greeting"):
        await asyncio.wait_for(talk.agent_done.wait(), 20)
    for at, turn in enumerate(talk.turns):
        if turn.get("bargeInMs") is not None:
            await asyncio.wait_for(talk.agent_spoke.wait(), 20)
            await asyncio.sleep(turn["bargeInMs"] / 1000)
        else:
            await asyncio.sleep(turn.get("pauseMs", 500) / 1000)
        talk.agent_spoke.clear()
        talk.agent_done.clear()
        talk.at = at
        await speak(talk, turn["speechMs"])
        for pause, again in turn.get("resumes", []):
            await asyncio.sleep(pause / 1000)
            await speak(talk, again)
        if turn.get("hangUpMs") is not None:
            await asyncio.sleep(turn["hangUpMs"] / 1000)
            log("hung_up", at)
            return
        is_cut = at + 1 < len(talk.turns) and talk.turns[at + 1].get("bargeInMs") is not None
        if not is_cut:
            for _ in range(turn.get("utterances", 1)):
                await asyncio.wait_for(talk.agent_done.wait(), 30)
                talk.agent_done.clear()
    await asyncio.sleep(0.4)


def realtime_session(talk: Conversation) -> AgentSession:
    from types import SimpleNamespace

    from realtime import LocalRealtime

    kit = SimpleNamespace(
        talk=talk, log=log, is_voiced=is_voiced, frame_of=frame_of, voice=VOICE
    )
    return AgentSession(
        llm=LocalRealtime(kit),
        vad=None,
        turn_handling={"turn_detection": "realtime_llm"},
        aec_warmup_duration=None,
    )


def session_of(talk: Conversation) -> AgentSession:
    script = talk.script
    if script.get("realtime") is not None:
        return realtime_session(talk)
    detector = script.get("detectorMs")
    handling: dict[str, Any] = {
        "turn_detection": "vad" if detector is None else LocalTurnDetector(talk, detector),
        "endpointing": {
            "min_delay": script.get("minDelayMs", 500) / 1000,
            "max_delay": script.get("maxDelayMs", 3000) / 1000,
        },
        "interruption": {"mode": "vad", "min_duration": 0.2, "false_interruption_timeout": None},
        "preemptive_generation": {
            "enabled": script.get("preemptive", True),
            "preemptive_tts": script.get("preemptiveTts", False),
        },
    }
    if not script.get("preemptiveIsSaid", True):
        del handling["preemptive_generation"]
    return AgentSession(
        vad=LocalVAD(talk),
        stt=LocalSTT(talk),
        llm=LocalLLM(talk),
        tts=LocalTTS(talk),
        turn_handling=handling,
        aec_warmup_duration=None,
    )


async def run(script: dict[str, Any]) -> None:
    stalls = Stalls()
    watch = asyncio.create_task(stalls.watch())
    try:
        await converse(script)
    finally:
        watch.cancel()
        log("stalls", gaps=stalls.gaps)


async def converse(script: dict[str, Any]) -> None:
    talk = Conversation(script)
    session = session_of(talk)
    session.input.audio = Microphone(talk)
    session.output.audio = Speaker(talk)
    if script.get("job") is None:
        await session.start(ScriptedAgent(talk))
        await play(talk, session)
        await session.aclose()
        return
    await run_as_job(script["job"], talk, session)


async def run_as_job(job: dict[str, Any], talk: Conversation, session: AgentSession) -> None:
    """What LiveKit's worker does around an entrypoint, with the job that its own tests use."""
    from livekit.agents.testing import fake_job_context
    from livekit.agents.utils import http_context

    http_context._new_session_ctx()
    with fake_job_context(job_id=job["id"]) as context:
        log("job", sid=context.job.room.sid, jobId=context.job.id)
        await session.start(ScriptedAgent(talk), record=job.get("record", False))
        await play(talk, session)
        await session.aclose()
        await context._on_session_end()
        await asyncio.to_thread(context._on_cleanup)
    await http_context._close_http_ctx()


def provider_of(script: dict[str, Any]) -> TracerProvider:
    resource = Resource.create({"service.name": script.get("service", "voice-agent")})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=500)
    )
    return provider


def main() -> None:
    with open(sys.argv[1], encoding="utf8") as file:
        script = json.load(file)
    if (script.get("job") or {}).get("record"):
        # LIVEKIT_OBSERVABILITY_URL alone: the framework brings its own provider.
        asyncio.run(run(script))
        return
    provider = provider_of(script)
    metadata = script.get("metadata")
    set_tracer_provider(provider, **({"metadata": metadata} if metadata else {}))
    asyncio.run(run(script))
    provider.shutdown()


if __name__ == "__main__":
    main()
