"""The scripted engine: fixed sentences and an echo, word by word. No language model, and it says so."""

import asyncio
import re
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from core.embedded.models import SCRIPTED_CONTEXT, SCRIPTED_KEY
from core.embedded.runner import Gone, Json, Refused, overflow_text
from core.embedded.whole import whole

DISCLAIMER = "[demonstração por roteiro, não é um modelo de linguagem / scripted demo, not a language model]"
_BODY = (
    "Este texto é fixo e mostra só o caminho de uma resposta. "
    "This text is fixed: it only shows how an answer travels. "
    "Você escreveu / you wrote:"
)
_WORD_SECONDS = 0.01
_LOAD_STEPS = 10
_LOAD_STEP_SECONDS = 0.02
_WORD = re.compile(r"\S+\s*")


class Scripted:
    """A `Runner` in this process. `pace` is seconds per word."""

    def __init__(self, pace: float = _WORD_SECONDS) -> None:
        self._pace = pace
        self._exited: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._closed = False

    @property
    def context(self) -> int:
        """See `Runner.context`."""
        return SCRIPTED_CONTEXT

    @property
    def exited(self) -> asyncio.Future[str]:
        """See `Runner.exited`: it never ends by itself."""
        return self._exited

    async def stream(self, body: Mapping[str, Any]) -> AsyncGenerator[Json]:
        """See `Runner.stream`."""
        messages = body.get("messages", [])
        asked = sum(len(_words(said(m))) for m in messages)
        if asked > SCRIPTED_CONTEXT:
            raise Refused(400, overflow_text(asked, SCRIPTED_CONTEXT), overflow=True)
        limit = body.get("max_tokens") or body.get("max_completion_tokens") or SCRIPTED_CONTEXT
        words = _words(f"{DISCLAIMER} {_BODY} {said(messages[-1]) if messages else ''}".rstrip())
        frame = _frame()
        began = time.monotonic()
        yield frame | {"choices": [_choice({"role": "assistant", "content": None})]}
        for word in words[:limit]:
            await asyncio.sleep(self._pace)
            if self._closed:
                raise Gone("Model is unloaded.", unloaded=True)
            yield frame | {"choices": [_choice({"content": word})]}
        reason = "length" if limit < len(words) else "stop"
        yield frame | {"choices": [_choice({}, reason)]}
        yield frame | {"choices": []} | _counts(asked, min(limit, len(words)), time.monotonic() - began)

    async def complete(self, body: Mapping[str, Any]) -> Json:
        """See `Runner.complete`."""
        async with aclosing(self.stream(body)) as chunks:
            return await whole(chunks)

    async def tokenize(self, text: str) -> list[int]:
        """See `Runner.tokenize`: a word is a token here, numbered by its place."""
        return list(range(len(_words(text))))

    async def render(self, messages: Sequence[Json]) -> str:
        """See `Runner.render`."""
        return "\n".join(f"{m.get('role')}: {said(m)}" for m in messages)

    async def aclose(self) -> None:
        """See `Runner.aclose`."""
        self._closed = True


async def load_steps() -> AsyncIterator[float]:
    """A load to look at: fractions that rise to 1."""
    for step in range(_LOAD_STEPS + 1):
        yield step / _LOAD_STEPS
        await asyncio.sleep(_LOAD_STEP_SECONDS)


def said(message: Json) -> str:
    """The text of a message, whichever of OpenAI's two forms it has."""
    match message.get("content"):
        case str(text):
            return text
        case list(parts):
            return " ".join(str(p.get("text", "")) for p in parts if p.get("type") == "text")
        case _:
            return ""


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def _frame() -> Json:
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": SCRIPTED_KEY,
    }


def _choice(delta: Json, reason: str | None = None) -> Json:
    return {"index": 0, "delta": delta, "finish_reason": reason}


def _counts(tokens_in: int, tokens_out: int, seconds: float) -> Json:
    usage = {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
    }
    return {
        "usage": usage,
        "timings": {"predicted_per_second": tokens_out / max(seconds, 1e-6), "prompt_ms": 0.0},
    }
