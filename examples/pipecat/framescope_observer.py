"""Every frame's hops inside a Pipecat pipeline, for Framescope: one file, no dependency.

    from framescope_observer import FramescopeObserver
    worker = PipelineWorker(pipeline, observers=[FramescopeObserver("http://127.0.0.1:4318", call_id)], …)

Pipecat's spans tell how long its services took. This observer tells when each frame of audio
left each processor, when the end of the turn was decided, and when the first *voiced* sample of
an answer was sent: what spans have no moment for. With the same ``conversation_id`` both are one
session.

It looks at frames where Pipecat shows them (``BaseObserver.on_push_frame``), reads their time off
Pipecat's own clock, and sends once a second what docs/wire.md describes: packed marks and the
state of the turns, as OTLP/JSON. It changes no frame, raises nothing into the pipeline, and drops
(counted) what it cannot deliver.
"""

import array
import asyncio
import base64
import json
import os
import struct
import time
import urllib.error
import urllib.request
import zlib

from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    CancelFrame,
    EndFrame,
    FunctionCallInProgressFrame,
    FunctionCallResultFrame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    OutputAudioRawFrame,
    TranscriptionFrame,
    TTSStartedFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.tts_service import TTSService
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport

QUANTUM_NS = 10_000
FLUSH_NS = 1_000_000_000
PART_BYTES_MAX = 1_400
ROWS_MAX = 1_024
VOICED_LEVEL = 500
"""Peak of 16 bit audio below which nobody hears anything."""
RESUME_NS = 300_000_000
"""So much silence inside an agent's turn is a wait of its own."""
MARKS_KEPT = 100_000

# ---- the wire (docs/wire.md) ----------------------------------------------------------------


def varint(n: int) -> bytes:
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def svarint(n: int) -> bytes:
    return varint(2 * n if n >= 0 else -2 * n - 1)


def utf8(text: str) -> bytes:
    """A lone surrogate is written as U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def string(text: str) -> bytes:
    raw = utf8(text)[:255]
    return varint(len(raw)) + raw


def packed(numbers: list[int]) -> bytes:
    """Section 5: groups of 256 around a reference, as wide as the widest; no exceptions."""
    out = bytearray()
    for at in range(0, len(numbers), 256):
        group = numbers[at : at + 256]
        low = min(group)
        width = (max(group) - low).bit_length()
        if width > 30:
            out += packed_with_exceptions(group, low)
            continue
        bits = 0
        for i, n in enumerate(group):
            bits |= (n - low) << (i * width)
        out.append(width)
        out += svarint(low) + bits.to_bytes((len(group) * width + 7) // 8, "little")
    return bytes(out)


def packed_with_exceptions(group: list[int], low: int) -> bytes:
    width = 30
    bits = 0
    high: list[tuple[int, int]] = []
    for i, n in enumerate(group):
        lane = n - low
        bits |= (lane & (1 << width) - 1) << (i * width)
        if lane >> width:
            high.append((i, lane >> width))
    out = bytearray([width | 0x80])
    out += svarint(low) + varint(len(high)) + bits.to_bytes((len(group) * width + 7) // 8, "little")
    before = -1
    for i, value in high:
        out += varint(i - before - 1) + svarint(value)
        before = i
    return bytes(out)


ROLES = {"client": 1, "edge": 2, "agent": 3}
HOPS = {
    "capture": 1, "encode": 2, "send": 3, "receive": 4, "jitter_buffer": 5, "decode": 6,
    "vad": 7, "stt": 8, "tts": 9, "playout": 10, "regroup": 11,
}  # fmt: skip


def hop_bytes(role: str, name: str, nth: int = 0, after: str | None = None) -> bytes:
    role_code, name_code = ROLES.get(role, 0), HOPS.get(name, 0)
    flags = (0x40 if nth else 0) | (0x80 if after else 0)
    out = bytes([role_code | flags, name_code])
    out += b"" if role_code else string(role)
    out += b"" if name_code else string(name)
    return out + (varint(nth) if nth else b"") + (string(after) if after else b"")


def quanta(ns: int) -> int:
    return (ns + QUANTUM_NS // 2) // QUANTUM_NS


def column(hop: tuple, rows: list[tuple[int, int, int]], base: int, first: int):
    """Item 2: rows (start tick, end tick, ns), told against the row before; and its first start."""
    size = rows[0][1] - rows[0][0]
    even = all(
        end - start == size and (i == 0 or rows[i - 1][1] == start)
        for i, (start, end, _) in enumerate(rows)
    )
    out = bytearray([2 | (16 if even else 0) | (2 << 5)]) + hop_bytes(*hop)
    out += varint(len(rows)) + svarint(rows[0][0] - first)
    if even:
        out += varint(size)
    else:
        out += varint(1) + packed([end - start for start, end, _ in rows])
        if len(rows) > 1:
            out += packed([rows[i][0] - rows[i - 1][1] for i in range(1, len(rows))])
    before = base
    residuals = []
    for _, _, ns in rows:
        residuals.append(quanta(ns) - before)
        before = quanta(ns)
    return bytes(out + packed(residuals)), rows[0][0]


def dropped_range(ticks_and_time: tuple[int, int, int], base: int) -> bytes:
    """Item 3: agent audio that was thrown away before it was sent."""
    start, end, ns = ticks_and_time
    head = bytes([3 | 1 << 3]) + hop_bytes("agent", "send")
    return head + varint(start) + varint(end - start) + svarint(quanta(ns) - base)


def block(stream: str, rate: int, down: bool) -> bytes:
    return bytes([1 | (8 if down else 0)]) + string(stream) + varint(rate)


def record(head: dict, part: int, items: bytes, base: int) -> bytes:
    """Section 4: one part, version 3."""
    body = bytes.fromhex(head["producer"]) + bytes.fromhex(head["domain"])
    body += struct.pack("<q", head["zero_unix_ns"])
    body += svarint(base // 65_536) + struct.pack("<H", base % 65_536)
    body += varint(head["seq"]) + varint(part) + varint(head.get("epoch", 0))
    body += varint(QUANTUM_NS) + items
    start = b"FR" + bytes([3, 0]) + struct.pack("<I", 8 + len(body) + 4)
    return start + body + struct.pack("<I", zlib.crc32(start + body))


def murmur3(data: bytes) -> bytes:
    """MurmurHash3 x86_128 with seed 0."""
    m = 0xFFFFFFFF

    def rotl(x, r):
        return (x << r | x >> (32 - r)) & m

    def fmix(h):
        h ^= h >> 16
        h = h * 0x85EBCA6B & m
        h ^= h >> 13
        h = h * 0xC2B2AE35 & m
        return h ^ h >> 16

    c = (0x239B961B, 0xAB0E9789, 0x38B34AE5, 0xA1E38B93)
    h = [0, 0, 0, 0]
    turns = ((15, 19, 0x561CCD1B), (16, 17, 0x0BCAA747), (17, 15, 0x96CD1C35), (18, 13, 0x32AC3B17))
    whole = len(data) // 16 * 16
    for at in range(0, whole, 16):
        for i, k in enumerate(struct.unpack_from("<4I", data, at)):
            k = rotl(k * c[i] & m, turns[i][0]) * c[(i + 1) % 4] & m
            h[i] = rotl(h[i] ^ k, turns[i][1])
            h[i] = ((h[i] + h[(i + 1) % 4]) * 5 + turns[i][2]) & m
    tail = data[whole:].ljust(16, b"\0")
    for i, k in enumerate(struct.unpack("<4I", tail)):
        if len(data) - whole > 4 * i:
            h[i] ^= rotl(k * c[i] & m, turns[i][0]) * c[(i + 1) % 4] & m
    h = [x ^ len(data) for x in h]
    for mixed in (False, True):
        h[0] = sum(h) & m
        h = [h[0]] + [(x + h[0]) & m for x in h[1:]]
        if not mixed:
            h = [fmix(x) for x in h]
    return struct.pack("<4I", *h)


def text_field(text: str) -> bytes:
    raw = utf8(text)
    return struct.pack("<I", len(raw)) + raw


def identity(kind: int, *fields: bytes) -> bytes:
    return murmur3(b"fsi1" + bytes([kind]) + b"".join(fields))


def some(raw: bytes) -> bytes:
    return raw if any(raw) else raw[:-1] + b"\1"


def session_trace_id(session_id: str) -> bytes:
    return some(identity(1, text_field(session_id)))


def turn_trace_id(session: bytes, stream: str, tick: int) -> bytes:
    fields = (session, text_field(stream), struct.pack("<q", tick))
    return some(identity(2, *fields)[:9] + session[9:])


def turn_span_id(session: bytes, stream: str, tick: int) -> bytes:
    return some(identity(3, session, text_field(stream), struct.pack("<q", tick))[:8])


def frames_span_id(producer: bytes, session: bytes, seq: int, part: int) -> bytes:
    fields = (producer, session, struct.pack("<q", seq), struct.pack("<I", part))
    return some(identity(6, *fields)[:8])


def clock_domain() -> bytes:
    """One a boot on Linux: all processes of the host, ours and the collector's, share it."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return identity(8, text_field(file.read().strip()))[:8]
    except OSError:
        return os.urandom(8)


def zero_unix_ns() -> int:
    """The wall clock at monotonic time 0: of several looks the quickest."""
    looks = []
    for _ in range(9):
        before = time.monotonic_ns()
        wall = time.time_ns()
        after = time.monotonic_ns()
        looks.append((after - before, wall - (before + after) // 2))
    return min(looks)[1]


# ---- what is remembered of a turn -----------------------------------------------------------


class Turn:
    def __init__(self, tick: int, at: int):
        self.tick = tick
        self.started_at = at
        self.ended_at: int | None = None
        self.outcome: str | None = None
        self.waits: list[dict] = []
        self.words: list[dict] = []
        self.onset: dict | None = None
        self.rev = 1
        self.open_tools: set[str] = set()
        # Told while no wait was open: they may be of the one that opens with the next silence.
        self.loose: list[dict] = []

    @property
    def wait(self) -> dict | None:
        """The wait that is open."""
        last = self.waits[-1] if self.waits else None
        return last if last and "closes" not in last and "outcome" not in last else None

    def moment(self, name: str, at: int, source: str, once: bool = True):
        wait = self.wait
        if wait is None or (once and any(one["name"] == name for one in wait["moments"])):
            return
        wait["moments"].append({"name": name, "at": at, "source": source})
        self.rev += 1


class FramescopeObserver(BaseObserver):
    """Sends every frame's hops and the moments of every turn to a Framescope collector.

    Args:
        endpoint: The collector, e.g. ``http://127.0.0.1:4318``.
        session_id: The call; the same as ``conversation_id`` and as ``session.id`` of other processes.
        headers: More HTTP headers, e.g. ``{"authorization": "Bearer …"}``.
        service_name: What this process is called.
    """

    def __init__(
        self,
        endpoint: str,
        session_id: str,
        *,
        headers: dict[str, str] | None = None,
        service_name: str = "pipecat",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._url = endpoint.rstrip("/") + "/v1/traces"
        self._headers = {"content-type": "application/json", **(headers or {})}
        self._session_id = session_id
        self._session = session_trace_id(session_id)
        self._producer = os.urandom(8)
        self._domain = clock_domain()
        self._zero_unix_ns = zero_unix_ns()
        self._resource = {
            "service.name": service_name,
            "service.instance.id": f"{os.uname().nodename}-{os.getpid()}",
            "host.name": os.uname().nodename,
        }
        self._seq = 0
        self._started_at = time.monotonic_ns()
        self._ended_at: int | None = None
        self._clock_zero: int | None = None
        self._rates = {"mic": 0, "agent": 0}
        self._marks: dict[tuple[str, str, str, int], list[tuple[int, int, int]]] = {}
        self._mark_count = 0
        self._dropped = 0
        # Ticks of frames that are on their way, by their ID.
        self._ticks: dict[int, tuple[int, int]] = {}
        self._mic_tick = 0
        self._last_voiced_tick = 0
        self._speech_tick = 0
        self._tts_tick = 0
        self._send_tick = 0
        self._last_push_at = 0
        self._bot_started_at = 0
        self._bot_speaks = False
        self._awaits_audio = False
        self._onset_at = 0
        self._drops: list[tuple[int, int, int]] = []
        self._last_voice_at = 0
        self._turns: list[Turn] = []
        self._told: dict[int, int] = {}
        self._task: asyncio.Task | None = None
        self._has_told_session = 0

    # ---- what is seen -----------------------------------------------------------------------

    async def on_push_frame(self, data: FramePushed):
        """Pipecat shows a frame that goes from one processor to the next."""
        try:
            if self._task is None:
                self._task = asyncio.create_task(self._run())
            self._see(data, data.frame, self._time_of(data))
        except Exception:  # noqa: BLE001 a fault of ours is no fault of the call
            self._dropped += 1

    def _time_of(self, data: FramePushed) -> int:
        """Pipecat's clock counts from its start; ours from the boot. Both are the monotonic one."""
        if self._clock_zero is None:
            clock = data.source.get_clock()
            self._clock_zero = time.monotonic_ns() - clock.get_time()
        return self._clock_zero + data.timestamp

    def _see(self, data: FramePushed, frame, at: int):
        if data.direction != FrameDirection.DOWNSTREAM:
            return
        if isinstance(frame, InputAudioRawFrame):
            self._see_mic(data, frame, at)
        elif isinstance(frame, OutputAudioRawFrame):
            self._see_agent(data, frame, at)
        elif getattr(data, "first_push", True) and frame.id not in self._ticks:
            # Versions that do not say which push is the first show each of them.
            self._ticks[frame.id] = (0, 0)
            self._see_event(frame, at)

    def _see_mic(self, data: FramePushed, frame, at: int):
        if frame.id not in self._ticks:
            count = len(frame.audio) // 2 // max(1, frame.num_channels)
            self._rates["mic"] = self._rates["mic"] or frame.sample_rate
            self._ticks[frame.id] = (self._mic_tick, self._mic_tick + count)
            self._mic_tick += count
            if is_voiced(frame.audio):
                self._last_voiced_tick = self._mic_tick
        name = "receive" if isinstance(data.source, BaseInputTransport) else short(data.source)
        self._mark("mic", name, *self._ticks[frame.id], at)

    def _see_agent(self, data: FramePushed, frame, at: int):
        count = len(frame.audio) // 2 // max(1, frame.num_channels)
        if isinstance(data.source, BaseOutputTransport):
            self._see_sent(frame, count, at)
            return
        if frame.id not in self._ticks:
            if not isinstance(data.source, TTSService):
                return
            self._rates["agent"] = self._rates["agent"] or frame.sample_rate
            self._ticks[frame.id] = (self._tts_tick, self._tts_tick + count)
            self._tts_tick += count
            if self._turns and self._awaits_audio:
                self._turns[-1].moment("first_audio", at, "tts")
                self._loose(self._turns[-1], "first_audio", at)
            self._awaits_audio = False
        name = "tts" if isinstance(data.source, TTSService) else short(data.source)
        self._mark("agent", name, *self._ticks[frame.id], at)

    def _see_sent(self, frame, count: int, at: int):
        """A transport's write returns when the frame has been played: it left when the one before had."""
        self._rates["agent"] = self._rates["agent"] or frame.sample_rate
        length = count * 1_000_000_000 // max(1, frame.sample_rate)
        before = max(self._last_push_at, self._bot_started_at)
        left = before if 0 < at - before < 2 * length else at
        self._last_push_at = at
        start = self._send_tick
        self._send_tick += count
        # Cut anew by the transport: whoever comes behind it sees these frames.
        self._ticks[frame.id] = (start, self._send_tick)
        self._mark("agent", "send", start, self._send_tick, left)
        if not is_voiced(frame.audio):
            return
        if self._turns:
            self._see_voice(start + onset_of(frame.audio), left)
        self._last_voice_at = left + length

    def _see_voice(self, tick: int, at: int):
        turn = self._turns[-1]
        if turn.ended_at is not None:
            return
        wait = turn.wait
        silent = at - self._last_voice_at
        if wait is None and turn.waits and silent > RESUME_NS and self._last_voice_at > 0:
            # Silence inside the agent's turn: a wait since its last word.
            moments = [one for one in turn.loose if one["at"] >= self._last_voice_at]
            wait = {
                "kind": "resume",
                "opens": {"at": self._last_voice_at, "source": "last voiced frame sent", "errorNs": 0},
                "moments": moments,
            }
            turn.waits.append(wait)
        if wait is None or "closes" in wait:
            return
        wait["closes"] = {"stream": "agent", "tick": tick, "source": "energy", "errorNs": 0}
        if turn.open_tools:
            wait["closes"]["filler"] = True
        turn.rev += 1

    def _see_event(self, frame, at: int):
        turn = self._turns[-1] if self._turns else None
        if isinstance(frame, VADUserStartedSpeakingFrame):
            back = getattr(frame, "start_secs", 0.2)
            self._speech_tick = max(0, self._mic_tick - int(back * self._rates["mic"]))
            self._onset_at = at
        elif isinstance(frame, UserStartedSpeakingFrame):
            self._begin_turn(at)
        elif isinstance(frame, VADUserStoppedSpeakingFrame):
            self._end_speech(frame, at)
        elif isinstance(frame, InterruptionFrame):
            # What was generated and not sent is never sent.
            if self._tts_tick > self._send_tick:
                self._drops.append((self._send_tick, self._tts_tick, at))
                self._send_tick = self._tts_tick
        elif isinstance(frame, BotStartedSpeakingFrame):
            self._bot_started_at = at
            self._bot_speaks = True
            if turn:
                turn.moment("first_frame_sent", at, "output transport")
        elif isinstance(frame, BotStoppedSpeakingFrame):
            self._bot_speaks = False
        elif isinstance(frame, (EndFrame, CancelFrame)):
            self._end_call(at)
        elif turn is None:
            return
        elif isinstance(frame, TranscriptionFrame):
            if turn.wait:
                turn.wait["moments"] = [
                    m for m in turn.wait["moments"] if m["name"] != "transcript_final"
                ]
            turn.moment("transcript_final", at, "stt")
            turn.words.append({"who": "user", "text": frame.text[:4_000], "at": at})
        elif isinstance(frame, UserStoppedSpeakingFrame):
            turn.moment("turn_decided", at, "smart turn or timeout, by transcript")
        elif isinstance(frame, LLMFullResponseStartFrame):
            turn.moment("model_requested", at, "llm", once=False)
            self._loose(turn, "model_requested", at)
        elif isinstance(frame, LLMTextFrame):
            turn.moment("first_speakable", at, "llm")
            self._loose(turn, "first_speakable", at)
        elif isinstance(frame, TTSStartedFrame):
            self._awaits_audio = True
            turn.moment("speech_text_sent", at, "tts")
            self._loose(turn, "speech_text_sent", at)
        elif isinstance(frame, FunctionCallInProgressFrame):
            turn.open_tools.add(frame.tool_call_id)
            turn.moment("tool_started", at, "tool", once=False)
            self._loose(turn, "tool_started", at)
        elif isinstance(frame, FunctionCallResultFrame):
            turn.open_tools.discard(frame.tool_call_id)
            turn.moment("tool_ended", at, "tool", once=False)
            self._loose(turn, "tool_ended", at)

    def _loose(self, turn: Turn, name: str, at: int):
        turn.loose.append({"name": name, "at": at, "source": "frame"})
        del turn.loose[:-64]

    def _begin_turn(self, at: int):
        turn = self._turns[-1] if self._turns else None
        if turn is not None and turn.ended_at is None:
            if turn.wait is not None and not self._bot_speaks:
                turn.wait["outcome"] = "interrupted_before"
            if self._bot_speaks:
                turn.outcome = "interrupted"
                turn.onset = {"onsetTick": self._speech_tick, "detectedAt": at, "decidedAt": at}
            else:
                turn.outcome = "completed"
            turn.ended_at = at
            turn.rev += 1
        self._turns.append(Turn(self._speech_tick, at))
        self._last_voice_at = 0

    def _end_speech(self, frame, at: int):
        if not self._turns or self._turns[-1].ended_at is not None:
            return
        turn = self._turns[-1]
        if turn.wait is not None:
            # Went on speaking: what was waited for was not the end.
            turn.waits.pop()
        turn.waits.append(
            {
                "kind": "response",
                "opens": {
                    "stream": "mic",
                    "tick": max(self._last_voiced_tick, turn.tick + 1),
                    "source": "energy, at the VAD's stop",
                    "errorNs": 20_000_000,
                },
                "moments": [],
            }
        )
        turn.rev += 1

    def _end_call(self, at: int):
        for turn in self._turns:
            if turn.ended_at is None:
                turn.ended_at = at
                turn.outcome = "abandoned" if turn.wait is not None else "completed"
                turn.rev += 1
        self._ended_at = at

    def _mark(self, stream: str, name: str, start: int, end: int, at: int):
        if self._mark_count >= MARKS_KEPT:
            self._dropped += 1
            return
        rows = self._marks.setdefault((stream, "agent", name, 0), [])
        if end <= start or (rows and start < rows[-1][1]):
            return
        rows.append((start, end, at))
        self._mark_count += 1

    # ---- what is sent -----------------------------------------------------------------------

    async def _run(self):
        while self._ended_at is None:
            await asyncio.sleep(FLUSH_NS / 1e9)
            await self.flush()
        await asyncio.sleep(0.2)
        await self.flush()

    async def cleanup(self):
        """Sends the last word before the pipeline is gone."""
        if self._ended_at is None:
            self._end_call(time.monotonic_ns())
        await self.flush()
        if self._task:
            self._task.cancel()
        await super().cleanup()

    async def flush(self):
        """Sends what was seen since the last time."""
        marks, self._marks = self._marks, {}
        drops, self._drops = self._drops, []
        count, self._mark_count = self._mark_count, 0
        if len(self._ticks) > 4_096:
            self._ticks = dict(list(self._ticks.items())[-1_024:])
        body = json.dumps({"resourceSpans": [self._resource_spans(marks, drops)]}).encode()
        for wait in (0, 0.5, 2):
            await asyncio.sleep(wait)
            if await asyncio.to_thread(self._post, body):
                return
        self._dropped += count

    def _post(self, body: bytes) -> bool:
        try:
            request = urllib.request.Request(self._url, body, self._headers, method="POST")
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def _resource_spans(self, marks: dict, drops: list) -> dict:
        spans = []
        for part, (items, base, count) in enumerate(self._parts(marks, drops)):
            spans.append(self._span(part, items, base, count))
        self._seq += 1
        return {
            "resource": {"attributes": [text_attribute(k, v) for k, v in self._resource.items()]},
            "scopeSpans": [{"scope": {"name": "@framescope/instrument"}, "spans": spans}],
        }

    def _parts(self, marks: dict, drops: list):
        """Items of a part, its base time in quanta, and its count of marks; at least one part."""
        rows = [row for column_rows in marks.values() for row in column_rows]
        base = quanta(min((row[2] for row in rows), default=time.monotonic_ns()))
        parts: list[tuple[bytes, int, int]] = []
        items, count = b"", 0
        for stream in ("mic", "agent"):
            head = block(stream, self._rates[stream], stream == "agent")
            is_open, first = False, 0
            for (of, role, name, nth), all_rows in marks.items():
                if of != stream:
                    continue
                for at in range(0, len(all_rows), ROWS_MAX):
                    piece = all_rows[at : at + ROWS_MAX]
                    made, begins = column((role, name, nth), piece, base, first if is_open else 0)
                    if items and len(items) + len(made) + len(head) > PART_BYTES_MAX:
                        parts.append((items, base, count))
                        items, count, is_open = b"", 0, False
                        made, begins = column((role, name, nth), piece, base, 0)
                    items += made if is_open else head + made
                    is_open, first = True, begins
                    count += len(piece)
            if stream == "agent" and drops:
                dropped = b"".join(dropped_range(one, base) for one in drops)
                items += dropped if is_open else head + dropped
        return [*parts, (items, base, count)]

    def _span(self, part: int, items: bytes, base: int, count: int) -> dict:
        head = {
            "producer": self._producer.hex(),
            "domain": self._domain.hex(),
            "zero_unix_ns": self._zero_unix_ns,
            "seq": self._seq,
        }
        start = self._zero_unix_ns + base * QUANTUM_NS
        attributes = [
            text_attribute("session.id", self._session_id),
            text_attribute("framescope.clock.domain", head["domain"]),
            int_attribute("framescope.clock.epoch", 0),
            text_attribute("framescope.clock.zero_unix_ns", str(self._zero_unix_ns)),
            text_attribute("framescope.producer", head["producer"]),
            int_attribute("framescope.seq", self._seq),
            int_attribute("framescope.record.part", part),
            int_attribute("framescope.frame.count", count),
        ]
        if items:
            made = base64.b64encode(record(head, part, items, base)).decode()
            attributes.append(text_attribute("framescope.record", made))
        if part == 0:
            attributes.append(text_attribute("framescope.state", json.dumps(self._state())))
        return {
            "traceId": self._session.hex(),
            "spanId": frames_span_id(self._producer, self._session, self._seq, part).hex(),
            "name": "audio.frames",
            "kind": 1,
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(max(start, self._zero_unix_ns + time.monotonic_ns())),
            "attributes": attributes,
        }

    def _state(self) -> dict:
        state: dict = {"v": 1}
        if self._seq % 10 == 0 or self._ended_at is not None:
            streams = [
                {"name": name, "sampleRate": rate, "direction": "up" if name == "mic" else "down"}
                for name, rate in self._rates.items()
                if rate > 0
            ]
            state["session"] = {
                "attributes": {"framework": "pipecat"},
                "authority": True,
                "startedAt": self._started_at,
                **({"endedAt": self._ended_at} if self._ended_at is not None else {}),
                "flushNs": FLUSH_NS,
                "streams": streams,
            }
        changed = [turn for turn in self._turns if self._told.get(turn.tick) != turn.rev]
        for turn in changed:
            self._told[turn.tick] = turn.rev
        if changed:
            state["turns"] = [self._turn_state(turn) for turn in changed]
        if self._dropped:
            state["dropped"] = {"pipecat observer": self._dropped}
        return state

    def _turn_state(self, turn: Turn) -> dict:
        return {
            "tick": turn.tick,
            "stream": "mic",
            "traceId": turn_trace_id(self._session, "mic", turn.tick).hex(),
            "spanId": turn_span_id(self._session, "mic", turn.tick).hex(),
            "rev": turn.rev,
            "startedAt": turn.started_at,
            **({"endedAt": turn.ended_at} if turn.ended_at is not None else {}),
            **({"outcome": turn.outcome} if turn.outcome is not None else {}),
            "waits": turn.waits,
            "stages": [],
            "words": turn.words,
            **({"bargeIn": turn.onset} if turn.onset is not None else {}),
        }


def short(processor) -> str:
    """Pipecat numbers its processors from 0; the first of a kind needs no number."""
    return processor.name.removesuffix("#0").replace("#", "-")[:64]


def samples(audio: bytes) -> array.array:
    return array.array("h", audio[: len(audio) // 2 * 2])


def is_voiced(audio: bytes) -> bool:
    values = samples(audio)
    return len(values) > 0 and max(max(values), -min(values)) > VOICED_LEVEL


def onset_of(audio: bytes) -> int:
    return next((i for i, value in enumerate(samples(audio)) if abs(value) > VOICED_LEVEL), 0)


def text_attribute(key: str, value: str) -> dict:
    return {"key": key, "value": {"stringValue": value}}


def int_attribute(key: str, value: int) -> dict:
    return {"key": key, "value": {"intValue": str(value)}}
