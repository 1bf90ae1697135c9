"""The three wires as HTTP: headers, paths and bodies. What comes back is decoded by the `*_wire` modules."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from core.conversation import ReplyOptions, Turn
from core.providers import anthropic_wire, gemini_wire, openai_wire
from core.providers.pieces import Page, Piece
from core.providers.vendors import Vendor, WireName


@dataclass(frozen=True, slots=True)
class Question:
    """A chat request: where it goes, and its body."""

    path: str
    body: Mapping[str, Any]


class Wire(Protocol):
    """How a family of APIs is spoken. A key goes into a header, never into an address."""

    def headers(self, key: str) -> dict[str, str]:
        """What proves who asks; `key` may be empty."""
        ...

    def question(
        self, vendor: Vendor, model: str, turns: Sequence[Turn], options: ReplyOptions, most: int | None
    ) -> Question:
        """A streaming chat request; `most` = the longest answer (tokens) that the model gives, if known."""
        ...

    def pieces(self, data: Any) -> Iterator[Piece]:
        """What one event brings."""
        ...

    def listing(self, vendor: Vendor, after: str) -> str:
        """The path of a page of models."""
        ...

    def listed(self, body: Any) -> Page:
        """The models of that page."""
        ...

    def ends(self, data: Any) -> bool:
        """Whether nothing of the answer comes with that event or after it."""
        ...


class OpenAIWire:
    """`/chat/completions` and `/models`."""

    def headers(self, key: str) -> dict[str, str]:
        """See `Wire.headers`."""
        return {"Authorization": f"Bearer {key}"} if key else {}

    def question(
        self, vendor: Vendor, model: str, turns: Sequence[Turn], options: ReplyOptions, _: int | None
    ) -> Question:
        """See `Wire.question`."""
        body = openai_wire.request(model, turns, options)
        if not vendor.usage_option:
            del body["stream_options"]
        if vendor.limit_field != "max_tokens" and "max_tokens" in body:
            body[vendor.limit_field] = body.pop("max_tokens")
        return Question("/chat/completions", body)

    def pieces(self, data: Any) -> Iterator[Piece]:
        """See `Wire.pieces`."""
        return openai_wire.pieces(data)

    def listing(self, vendor: Vendor, after: str) -> str:
        """See `Wire.listing`. Only Cohere's own listing has pages."""
        path = vendor.listing or "/models"
        return f"{path}{'&' if '?' in path else '?'}page_token={quote(after)}" if after else path

    def listed(self, body: Any) -> Page:
        """See `Wire.listed`."""
        return openai_wire.listed(body)

    def ends(self, _: Any) -> bool:
        """See `Wire.ends`: `[DONE]` is no JSON and ends the stream before this is asked."""
        return False


class AnthropicWire:
    """`/v1/messages` and `/v1/models`."""

    def headers(self, key: str) -> dict[str, str]:
        """See `Wire.headers`."""
        return {"x-api-key": key, "anthropic-version": anthropic_wire.VERSION}

    def question(
        self, _: Vendor, model: str, turns: Sequence[Turn], options: ReplyOptions, most: int | None
    ) -> Question:
        """See `Wire.question`."""
        return Question("/v1/messages", anthropic_wire.request(model, turns, options, most))

    def pieces(self, data: Any) -> Iterator[Piece]:
        """See `Wire.pieces`."""
        return anthropic_wire.pieces(data)

    def listing(self, _: Vendor, after: str) -> str:
        """See `Wire.listing`."""
        return "/v1/models?limit=1000" + (f"&after_id={quote(after)}" if after else "")

    def listed(self, body: Any) -> Page:
        """See `Wire.listed`."""
        return anthropic_wire.listed(body)

    def ends(self, data: Any) -> bool:
        """See `Wire.ends`."""
        return isinstance(data, dict) and data.get("type") == "message_stop"


class GeminiWire:
    """`/models/M:streamGenerateContent` and `/models`."""

    def headers(self, key: str) -> dict[str, str]:
        """See `Wire.headers`."""
        return {"x-goog-api-key": key}

    def question(
        self, _: Vendor, model: str, turns: Sequence[Turn], options: ReplyOptions, __: int | None
    ) -> Question:
        """See `Wire.question`."""
        return Question(gemini_wire.path(model), gemini_wire.request(turns, options))

    def pieces(self, data: Any) -> Iterator[Piece]:
        """See `Wire.pieces`."""
        return gemini_wire.pieces(data)

    def listing(self, _: Vendor, after: str) -> str:
        """See `Wire.listing`."""
        return "/models?pageSize=1000" + (f"&pageToken={quote(after)}" if after else "")

    def listed(self, body: Any) -> Page:
        """See `Wire.listed`."""
        return gemini_wire.listed(body)

    def ends(self, _: Any) -> bool:
        """See `Wire.ends`: usage may follow the reason, so that only the end of the stream is the end."""
        return False


WIRES: dict[WireName, Wire] = {"openai": OpenAIWire(), "anthropic": AnthropicWire(), "gemini": GeminiWire()}
