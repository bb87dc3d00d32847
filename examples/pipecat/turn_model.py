"""An end-of-turn model that takes as long as the script says and always says yes."""

import asyncio

from pipecat.audio.turn.base_turn_analyzer import BaseTurnAnalyzer, BaseTurnParams, EndOfTurnState

from local_services import Script


class ScriptedTurnModel(BaseTurnAnalyzer):
    def __init__(self, script: Script):
        super().__init__()
        self._script = script
        self._triggered = False

    @property
    def speech_triggered(self) -> bool:
        return self._triggered

    @property
    def params(self) -> BaseTurnParams:
        return BaseTurnParams()

    def append_audio(self, buffer: bytes, is_speech: bool) -> EndOfTurnState:
        if is_speech:
            self._triggered = True
        return EndOfTurnState.INCOMPLETE

    async def analyze_end_of_turn(self):
        await asyncio.sleep(self._script.now.turn_model_ms / 1000)
        self._script.log.add("turn_model_decided")
        self._triggered = False
        return EndOfTurnState.COMPLETE, None

    def clear(self):
        self._triggered = False
