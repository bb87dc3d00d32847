"""A local speech-to-speech model on LiveKit's own base classes: it hears by energy, decides after the
silence that the script says, and answers with a tone."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

from livekit import rtc
from livekit.agents import llm
from livekit.agents.metrics import RealtimeModelMetrics
from livekit.agents.metrics.base import Metadata
from livekit.agents.types import NOT_GIVEN


class LocalRealtime(llm.RealtimeModel):
    """`kit`: what it shares with the other services: `talk`, `log`, `is_voiced`, `frame_of`, `voice`."""

    def __init__(self, kit: Any) -> None:
        super().__init__(
            capabilities=llm.RealtimeCapabilities(
                message_truncation=False,
                turn_detection=True,
                user_transcription=True,
                auto_tool_reply_generation=False,
                audio_output=True,
                manual_function_calls=False,
            )
        )
        self.kit = kit

    @property
    def model(self) -> str:
        return "local-realtime"

    @property
    def provider(self) -> str:
        return "local"

    def session(self, **_: Any) -> LocalRealtimeSession:
        return LocalRealtimeSession(self)

    async def aclose(self) -> None:
        pass


class LocalRealtimeSession(llm.RealtimeSession):
    def __init__(self, model: LocalRealtime) -> None:
        super().__init__(model)
        self._kit = model.kit
        self._ctx = llm.ChatContext.empty()
        self._tools = llm.ToolContext.empty()
        self._was_voiced = False
        self._silent: asyncio.Task[None] | None = None

    @property
    def chat_ctx(self) -> llm.ChatContext:
        return self._ctx

    @property
    def tools(self) -> llm.ToolContext:
        return self._tools

    async def update_instructions(self, instructions: str) -> None:
        pass

    async def update_chat_ctx(self, chat_ctx: llm.ChatContext) -> None:
        self._ctx = chat_ctx

    async def update_tools(self, tools: list[Any]) -> None:
        pass

    def update_options(self, **_: Any) -> None:
        pass

    def push_audio(self, frame: rtc.AudioFrame) -> None:
        voiced = self._kit.is_voiced(frame)
        if voiced and not self._was_voiced:
            if self._silent is not None:
                self._silent.cancel()
            self.emit("input_speech_started", llm.InputSpeechStartedEvent())
        elif self._was_voiced and not voiced:
            self._silent = asyncio.create_task(self._answer(time.monotonic()))
        self._was_voiced = voiced

    async def _answer(self, ended: float) -> None:
        talk, log = self._kit.talk, self._kit.log
        at, turn = talk.at, talk.turn
        decide = talk.script["realtime"]["decideMs"] / 1000
        await asyncio.sleep(max(0, ended + decide - time.monotonic()))
        log("turn_completed", at)
        self.emit(
            "input_speech_stopped", llm.InputSpeechStoppedEvent(user_transcription_enabled=True)
        )
        self.emit(
            "input_audio_transcription_completed",
            llm.InputTranscriptionCompleted(
                item_id=uuid.uuid4().hex[:8], transcript=turn["text"], is_final=True
            ),
        )
        self.emit("generation_created", self._generate(at, turn, user_initiated=False))

    def _generate(self, at: int, turn: dict[str, Any], user_initiated: bool) -> Any:
        created = time.time()
        response = f"resp-{uuid.uuid4().hex[:8]}"
        self._kit.log("model_requested", at)
        text: asyncio.Queue[str | None] = asyncio.Queue()
        sound: asyncio.Queue[rtc.AudioFrame | None] = asyncio.Queue()
        modalities: asyncio.Future[list[Any]] = asyncio.get_event_loop().create_future()
        modalities.set_result(["text", "audio"])

        async def speak() -> None:
            await asyncio.sleep(turn["ttftMs"] / 1000)
            first = time.time()
            self._kit.log("first_audio", at)
            reply = turn.get("reply", "")
            text.put_nowait(reply)
            text.put_nowait(None)
            for _ in range(max(4, len(reply) * turn.get("msACharacter", 20) // 10)):
                sound.put_nowait(self._kit.frame_of(self._kit.voice))
            sound.put_nowait(None)
            self.emit("metrics_collected", metrics_of(self._realtime_model, response, created, first))

        task = asyncio.create_task(speak())
        message = llm.MessageGeneration(
            message_id=uuid.uuid4().hex[:8],
            text_stream=drain(text),
            audio_stream=drain(sound),
            modalities=modalities,
        )
        return llm.GenerationCreatedEvent(
            message_stream=one(message, task),
            function_stream=nothing(),
            user_initiated=user_initiated,
            response_id=response,
        )

    def push_video(self, frame: Any) -> None:
        pass

    def generate_reply(self, **_: Any) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_event_loop().create_future()
        turn = {"ttftMs": 200, "reply": "Hello."}
        future.set_result(self._generate(self._kit.talk.at, turn, user_initiated=True))
        return future

    def commit_audio(self) -> None:
        pass

    def clear_audio(self) -> None:
        pass

    def interrupt(self) -> None:
        pass

    def truncate(self, **_: Any) -> None:
        pass

    async def aclose(self) -> None:
        if self._silent is not None:
            self._silent.cancel()


def metrics_of(model: Any, response: str, created: float, first: float) -> RealtimeModelMetrics:
    return RealtimeModelMetrics(
        request_id=response,
        timestamp=created,
        duration=time.time() - created,
        ttft=first - created,
        cancelled=False,
        label=model.label,
        input_tokens=40,
        output_tokens=20,
        total_tokens=60,
        tokens_per_second=10.0,
        input_token_details=RealtimeModelMetrics.InputTokenDetails(audio_tokens=40),
        output_token_details=RealtimeModelMetrics.OutputTokenDetails(audio_tokens=20),
        metadata=Metadata(model_name=model.model, model_provider=model.provider),
    )


async def drain(queue: asyncio.Queue[Any]) -> AsyncIterator[Any]:
    while (item := await queue.get()) is not None:
        yield item


async def one(item: Any, task: Any) -> AsyncIterator[Any]:
    yield item
    await task


async def nothing() -> AsyncIterator[Any]:
    for item in ():
        yield item
