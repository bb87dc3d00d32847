"""Services that need no key: ears, a mind and a voice that are played from a script.

They are subclasses of Pipecat's own base classes and are traced by Pipecat's own
decorators, so that what they export is what a real service exports. What is not real
is what they do: the recogniser hears what the script says after the time that the script
says, and so on. Each writes down what it *did* and when (``Log``), since a sleep on a
busy machine is longer than was asked for.
"""

import array
import asyncio
import json
import math
import time
import wave
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from pipecat.audio.vad.vad_analyzer import VADAnalyzer, VADParams
from pipecat.adapters.services.open_ai_adapter import OpenAILLMAdapter
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    OutputAudioRawFrame,
    StartFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.metrics.metrics import LLMTokenUsage
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.llm_service import FunctionCallFromLLM, LLMService
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams
from pipecat.utils.time import time_now_iso8601
from pipecat.utils.tracing.service_decorators import traced_llm, traced_stt, traced_tts

RATE = 16_000
FRAME_MS = 20
FRAME_SAMPLES = RATE * FRAME_MS // 1000
VOICE_LEVEL = 6_000
"""Bytes of a frame: 16 bit, mono."""
FRAME_BYTES = FRAME_SAMPLES * 2

SILENCE = bytes(FRAME_BYTES)
VOICE = array.array(
    "h",
    (int(VOICE_LEVEL * math.sin(2 * math.pi * 220 * n / RATE)) for n in range(FRAME_SAMPLES)),
).tobytes()


class Log:
    """What was really done, in seconds of ``time.time()``: the truth that a trace is held against."""

    def __init__(self):
        self.events: list[dict] = []

    def add(self, what: str, at: float | None = None, **more):
        self.events.append({"what": what, "at": time.time() if at is None else at, **more})

    def write(self, path: str):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.events, file, indent=1)


@dataclass
class Tool:
    """A function that the model calls before it answers."""

    name: str
    ms: int
    filler: str | None = None
    """Said by the application while the tool runs."""


@dataclass
class Exchange:
    """One thing the caller says, and how it is answered."""

    says: str
    speaks_ms: int
    answer: str
    stt_ms: int = 350
    """End of speech to the final transcript."""
    turn_model_ms: int = 60
    """What the end-of-turn model takes."""
    llm_first_ms: int = 300
    llm_token_ms: int = 20
    tts_ms: int = 150
    """Text to the first audio."""
    tts_silence_ms: int = 40
    """Silence with which that audio begins."""
    answer_ms: int = 1_200
    """Length of the answer's first sentence."""
    tool: Tool | None = None
    pauses_ms: int = 0
    """The caller waits so long after the agent's last word."""
    interrupts_ms: int | None = None
    """Speaks so long after the agent began, and not after it ended."""
    hangs_up_ms: int | None = None
    """Does not wait for the answer: hangs up so long after the last word."""


@dataclass
class Script:
    exchanges: list[Exchange]
    greeting: str | None = None
    at: int = -1
    """The exchange that goes on."""
    log: Log = field(default_factory=Log)
    heard: tuple[list, list] = field(default_factory=lambda: ([], []))
    """What a recorder beside the transport would hear: (time, audio) of the caller and of the agent."""

    def record(self, path: str):
        """Writes both as a WAV of two channels."""
        whole = [one for channel in self.heard for one in channel]
        start = min(at for at, _ in whole)
        length = max(int((at - start) * RATE) + len(audio) // 2 for at, audio in whole)
        mixed = array.array("h", bytes(4 * length))
        for channel, pieces in enumerate(self.heard):
            for at, audio in pieces:
                samples = array.array("h", audio)
                first = int((at - start) * RATE)
                mixed[2 * first + channel : 2 * (first + len(samples)) + channel : 2] = samples
        with wave.open(path, "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(mixed.tobytes())

    @property
    def now(self) -> Exchange:
        return self.exchanges[max(0, self.at)]


def is_voiced(audio: bytes) -> bool:
    samples = array.array("h", audio[: len(audio) // 2 * 2])
    return len(samples) > 0 and max(samples) > VOICE_LEVEL // 4


class EnergyVAD(VADAnalyzer):
    """Voice where there is energy; the state machine around it is Pipecat's."""

    def __init__(self, params: VADParams | None = None):
        super().__init__(params=params or VADParams(start_secs=0.1, stop_secs=0.2, min_volume=0.0))

    def num_frames_required(self) -> int:
        return FRAME_SAMPLES

    def voice_confidence(self, buffer) -> float:
        return 1.0 if is_voiced(buffer) else 0.0


class LocalSTT(STTService):
    """Says what the script says was said, so long after the end of speech as the script says."""

    def __init__(self, script: Script, **kwargs):
        super().__init__(**settings_of("STT", model="local-stt"), **kwargs)
        self._script = script
        self._pending: asyncio.Task | None = None

    def can_generate_metrics(self) -> bool:
        return True

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        yield None

    @traced_stt
    async def _handle_transcription(self, transcript: str, is_final: bool, language=None):
        """Where a real service's tracing hangs."""

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        await super().process_frame(frame, direction)
        if isinstance(frame, VADUserStartedSpeakingFrame):
            if self._pending:
                self._pending.cancel()
        elif isinstance(frame, VADUserStoppedSpeakingFrame):
            end = getattr(frame, "timestamp", time.time()) - getattr(frame, "stop_secs", 0.2)
            self._script.log.add("vad_stopped", speech_end=end)
            self._pending = asyncio.create_task(self._transcribe(end))

    async def _transcribe(self, speech_end: float):
        exchange = self._script.now
        await asyncio.sleep(max(0.0, speech_end + exchange.stt_ms / 1000 - time.time()))
        await self._handle_transcription(exchange.says, True)
        frame = TranscriptionFrame(exchange.says, "caller", time_now_iso8601())
        if hasattr(frame, "finalized"):
            frame.finalized = True
        self._script.log.add("transcript", text=exchange.says)
        await self.push_frame(frame)


class LocalLLM(LLMService):
    """Answers the script's answer, token by token; calls the script's tool first."""

    adapter_class = OpenAILLMAdapter

    def __init__(self, script: Script, **kwargs):
        super().__init__(**settings_of("LLM", model="local-llm"), **kwargs)
        self._script = script

    def can_generate_metrics(self) -> bool:
        return True

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        try:
            await self.start_processing_metrics()
            await self._process_context(frame.context)
        finally:
            await self.stop_processing_metrics()
            await self.push_frame(LLMFullResponseEndFrame())

    @traced_llm
    async def _process_context(self, context):
        log = self._script.log
        greets = self._script.greeting is not None and self._script.at < 0
        exchange = self._script.now
        messages = context.get_messages()
        roles = [one.get("role") for one in messages if isinstance(one, dict)]
        asked = max((n for n, role in enumerate(roles) if role == "user"), default=-1)
        has_result = "tool" in roles[asked + 1 :]
        calls = exchange.tool is not None and not has_result and not greets
        log.add("llm_asked", tool=calls)
        await self.start_ttfb_metrics()
        await asyncio.sleep(exchange.llm_first_ms / 1000)
        await self.stop_ttfb_metrics()
        log.add("llm_first", tool=calls)
        if calls:
            # The arguments are written before the call can be made.
            await asyncio.sleep(3 * exchange.llm_token_ms / 1000)
            log.add("tool_called")
            await self.run_function_calls(
                [
                    FunctionCallFromLLM(
                        context=context,
                        tool_call_id=f"call_{self._script.at}",
                        function_name=exchange.tool.name,
                        arguments={},
                    )
                ]
            )
            return
        text = self._script.greeting if greets else exchange.answer
        words = text.split(" ")
        for n, word in enumerate(words):
            await self.push_frame(LLMTextFrame(word + (" " if n < len(words) - 1 else "")))
            await asyncio.sleep(exchange.llm_token_ms / 1000)
        log.add("llm_done")
        await self.start_llm_usage_metrics(
            LLMTokenUsage(
                prompt_tokens=40 + 10 * len(messages),
                completion_tokens=len(words),
                total_tokens=40 + 10 * len(messages) + len(words),
            )
        )


class LocalTTS(TTSService):
    """A tone after some silence, after the time that the script says."""

    def __init__(self, script: Script, **kwargs):
        super().__init__(
            push_start_frame=True,
            push_stop_frames=True,
            sample_rate=RATE,
            **settings_of("TTS", model="local-tts", voice="tone-220"),
            **kwargs,
        )
        self._script = script

    def can_generate_metrics(self) -> bool:
        return True

    @traced_tts
    async def run_tts(self, text: str, context_id: str = "") -> AsyncGenerator[Frame, None]:
        log = self._script.log
        exchange = self._script.now
        log.add("tts_asked", text=text)
        await self.start_tts_usage_metrics(text)
        await asyncio.sleep(exchange.tts_ms / 1000)
        log.add("tts_first", text=text)
        frames = [SILENCE] * (exchange.tts_silence_ms // FRAME_MS)
        frames += [VOICE] * (exchange.answer_ms // FRAME_MS)
        for audio in frames:
            more = {"context_id": context_id} if context_id else {}
            yield TTSAudioRawFrame(audio, RATE, 1, **more)
            # A service waits for its socket between two pieces; without it the rest of the pipeline
            # would not run before the whole answer is queued, some milliseconds later.
            await asyncio.sleep(0)


def settings_of(kind: str, **values) -> dict:
    """``settings=`` for versions that have it (0.0.104 and later)."""
    try:
        from pipecat.services import settings
    except ImportError:
        return {}
    made = getattr(settings, f"{kind}Settings")()
    for key in vars(made):
        if key != "extra":
            setattr(made, key, values.get(key))
    return {"settings": made}


class CallerInput(BaseInputTransport):
    """The caller's microphone: 20 ms of tone or silence at a time, in real time."""

    def __init__(self, script: Script, params: TransportParams):
        super().__init__(params)
        self._script = script
        self._task: asyncio.Task | None = None
        self._until = 0.0
        self.frame_count = 0

    async def start(self, frame: StartFrame):
        await super().start(frame)
        await self.set_transport_ready(frame)
        self._task = asyncio.create_task(self._run())

    async def cleanup(self):
        if self._task:
            self._task.cancel()
        await super().cleanup()

    def speak(self, ms: int):
        """From the next frame on."""
        self._until = time.time() + ms / 1000

    @property
    def is_speaking(self) -> bool:
        return time.time() < self._until

    async def _run(self):
        due = time.time()
        was_voiced = False
        while True:
            due += FRAME_MS / 1000
            await asyncio.sleep(max(0.0, due - time.time()))
            voiced = self.is_speaking
            if was_voiced and not voiced:
                # The last voiced frame left a frame ago.
                self._script.log.add("caller_silent", at=time.time() - FRAME_MS / 1000)
            if voiced and not was_voiced:
                self._script.log.add("caller_speaks")
            was_voiced = voiced
            if voiced:
                self._script.heard[0].append((time.time() - FRAME_MS / 1000, VOICE))
            self.frame_count += 1
            await self.push_audio_frame(
                InputAudioRawFrame(VOICE if voiced else SILENCE, RATE, 1)
            )


class CallerOutput(BaseOutputTransport):
    """The caller's ear: takes audio at the pace of playing it."""

    def __init__(self, script: Script, params: TransportParams):
        super().__init__(params)
        self._script = script
        self._due = 0.0
        self.last_voiced_at = 0.0
        self.last_written_at = 0.0
        self.spoke = asyncio.Event()

    async def start(self, frame: StartFrame):
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        now = time.time()
        log = self._script.log
        if now - self.last_written_at > 0.3:
            log.add("first_frame", at=now)
        self.last_written_at = now
        if is_voiced(frame.audio):
            if now - self.last_voiced_at > 0.3:
                log.add("first_voiced", at=now)
                self.spoke.set()
            self.last_voiced_at = now
        # Played behind what is playing, as a loudspeaker does.
        self._script.heard[1].append((max(self._due, now), frame.audio))
        length = len(frame.audio) / 2 / frame.sample_rate
        self._due = max(self._due, now) + length
        await asyncio.sleep(max(0.0, self._due - time.time()))
        return True


class Caller:
    """Follows the script: speaks, listens, interrupts, hangs up."""

    def __init__(self, script: Script, mic: CallerInput, ear: CallerOutput):
        self._script = script
        self._mic = mic
        self._ear = ear

    async def run(self):
        """Returns when the call is over."""
        if self._script.greeting is not None:
            await asyncio.wait_for(self._ear.spoke.wait(), 10)
            await self._silence()
        for n, exchange in enumerate(self._script.exchanges):
            if exchange.interrupts_ms is None:
                await asyncio.sleep(exchange.pauses_ms / 1000)
            else:
                await asyncio.sleep(exchange.interrupts_ms / 1000)
            self._script.at = n
            self._ear.spoke.clear()
            self._script.log.add("exchange", n=n)
            self._mic.speak(exchange.speaks_ms)
            await asyncio.sleep(exchange.speaks_ms / 1000)
            # What was still playing when it was interrupted is no answer.
            self._ear.spoke.clear()
            if exchange.hangs_up_ms is not None:
                await asyncio.sleep(exchange.hangs_up_ms / 1000)
                self._script.log.add("hung_up")
                return
            try:
                await asyncio.wait_for(self._ear.spoke.wait(), 15)
            except TimeoutError:
                self._script.log.add("no_answer")
                return
            after = self._script.exchanges[n + 1 : n + 2]
            if not after or after[0].interrupts_ms is None:
                await self._silence()

    async def _silence(self):
        """Until nothing was heard for a while: a tool may run after a filler."""
        tool = self._script.now.tool
        patience = 0.6 if tool is None else 0.6 + tool.ms / 1000 + 1.5
        while time.time() - self._ear.last_voiced_at < patience:
            await asyncio.sleep(0.05)
