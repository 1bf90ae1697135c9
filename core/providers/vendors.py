"""THE table of vendors: one entry each, with everything that is special about it. Data only.

Sources: each vendor's own API reference (addresses, key checks, listings, error codes), read in November
2026. Genspark publishes none: its entry follows its open-source GenOffice app (`genspark-ai/genoffice`,
packages/ai-provider/src/providers.ts) and is best effort.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Literal
from urllib.parse import urlsplit

WireName = Literal["openai", "anthropic", "gemini"]


class Meaning(Enum):
    """What a refusal means, in classes that ask for different remedies."""

    KEY = "key"  # not accepted
    MONEY = "money"  # credit or quota used up
    RATE = "rate"  # too many requests for now
    BUSY = "busy"  # overloaded, or broken for now
    LENGTH = "length"  # the prompt is longer than the context
    MODEL = "model"  # not there, or not for this key
    SAFETY = "safety"  # forbidden by the vendor's rules
    BAD = "bad"  # something in the request


NOTHING: Mapping[str, Meaning] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Probe:
    """A request that tells whether a key is good. `path` beside the wire begins with `native:`.

    `field` names what must be true in the answer; `permission` must be among what a fine-grained token may do.
    """

    method: str
    path: str
    field: str = ""
    permission: str = ""


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor. `name` is the provider of its models and the prefix of its settings.

    `native` = the origin of addresses that are not under `url`. `favourites` and `not_chat` are patterns of
    model names, best first. `listing` = where models are listed, if not where the wire lists them; `static` =
    models of a vendor that lists none. `probe` = how a key is checked: a listing (`None`), a request, a short
    `chat` whose text is read, or a listing and, where that is open to everybody, such a chat (`open`). `disguised` = sentences that come as an answer and are refusals.
    `codes` and `sayings` = error codes, and words where there is no code, with what they mean.
    """

    name: str
    title: str
    wire: WireName
    url: str
    key_setting: str = ""
    keys_at: str = ""
    native: str = ""
    needs_key: bool = True
    favourites: tuple[str, ...] = ()
    not_chat: tuple[str, ...] = ()
    sees: tuple[str, ...] = ()
    listing: str = ""
    static: tuple[str, ...] = ()
    probe: Probe | Literal["chat", "open"] | None = None
    limit_field: str = "max_tokens"
    usage_option: bool = True
    disguised: tuple[str, ...] = ()
    codes: Mapping[str, Meaning] = field(default_factory=lambda: NOTHING)
    sayings: Mapping[str, Meaning] = field(default_factory=lambda: NOTHING)
    doubtful_401: bool = False  # a model of it answers 401 though the key is good
    internal_is_length: bool = False  # 500 INTERNAL may mean that the prompt is too long

    @property
    def setting(self) -> str:
        """The setting that holds the bot's key."""
        return self.key_setting or f"{prefix(self.name)}_API_KEY"


def prefix(name: str) -> str:
    """The beginning of a vendor's settings."""
    return name.upper().replace("-", "_")


# Not for chat, whoever serves it.
NEVER_CHAT = (
    "*embed*", "*whisper*", "*tts*", "*-audio*", "*realtime*", "*transcri*", "*moderation*", "*rerank*",
    "*image*", "dall-e*", "*imagen*", "veo*", "sora*", "*ocr*", "*guard*",
)  # fmt: skip

# Most compatible servers list names and nothing else. A picture that a blind model gets is refused by its server;
# one that a model never gets because of its name could not be sent at all.
SEEING = (
    "*-vl*", "*_vl*", "*[0-9]vl*", "*vision*", "*llava*", "*pixtral*", "*moondream*", "*minicpm-v*", "*internvl*",
    "gemma-3*", "gemma3*", "gemma-4*", "gemma4*", "mistral-small*", "llama-4*", "llama4*",
    "gpt-4o*", "gpt-4.1*", "gpt-[5-9]*", "o[3-9]*", "claude-*", "gemini-*", "grok-4*",
)  # fmt: skip

OPENAI = Vendor(
    "openai",
    "OpenAI",
    "openai",
    "https://api.openai.com/v1",
    keys_at="https://platform.openai.com/api-keys",
    favourites=("gpt-[0-9]", "gpt-[0-9].[0-9]", "gpt-*-mini", "gpt-*", "o[0-9]*"),
    # Completions and Responses only: the listing tells names and nothing else.
    not_chat=("babbage*", "davinci*", "*-instruct*", "*codex*", "*-pro", "*-pro-*", "*deep-research*",
              "computer-use*", "*-search-*", "ft:babbage*", "ft:davinci*"),
    sees=("gpt-[4-9]*", "o[1-9]*", "chatgpt-4o*"),
    limit_field="max_completion_tokens",
    codes={
        "insufficient_quota": Meaning.MONEY,
        "credit_balance_exhausted": Meaning.MONEY,
        "billing_hard_limit_reached": Meaning.MONEY,
        "billing_not_active": Meaning.MONEY,
        "slow_down": Meaning.RATE,
        "server_is_overloaded": Meaning.BUSY,
    },
)  # fmt: skip

ANTHROPIC = Vendor(
    "anthropic",
    "Anthropic",
    "anthropic",
    "https://api.anthropic.com",
    keys_at="https://console.anthropic.com/settings/keys",
    favourites=("claude-sonnet-*", "claude-opus-*", "claude-haiku-*", "claude-*"),
    sees=("claude-*",),
    codes={
        "billing_error": Meaning.MONEY,
        "enforced_spend_limit_reached": Meaning.MONEY,
        "overloaded_error": Meaning.BUSY,
        "timeout_error": Meaning.BUSY,
        "api_error": Meaning.BUSY,
    },
    # The own spend limit and an empty balance come as 400 `invalid_request_error` without a code.
    sayings={
        "usage limits": Meaning.MONEY,
        "credit balance is too low": Meaning.MONEY,
    },
)

GOOGLE = Vendor(
    "google",
    "Google Gemini",
    "gemini",
    "https://generativelanguage.googleapis.com/v1beta",
    keys_at="https://aistudio.google.com/apikey",
    favourites=("gemini-*-flash", "gemini-flash-latest", "gemini-*-pro", "gemini-*", "gemma-*"),
    not_chat=("*-live*", "aqa", "*robotics*", "*computer-use*"),
    sees=("gemini-*", "gemma-3*", "gemma-4*"),
    codes={
        "api_key_invalid": Meaning.KEY,
        "permission_denied": Meaning.KEY,
        "unauthenticated": Meaning.KEY,
        "failed_precondition": Meaning.MONEY,  # no free tier in that country: billing must be on
        "perday": Meaning.MONEY,  # the quota's id says which one is used up
        "resource_exhausted": Meaning.RATE,
        "unavailable": Meaning.BUSY,
        "internal": Meaning.BUSY,
    },
    internal_is_length=True,
)

GENSPARK = Vendor(
    "genspark",
    "Genspark",
    "openai",
    "https://www.genspark.ai/api/llm_proxy/v1",
    keys_at="https://www.genspark.ai",
    favourites=("claude-*", "gpt-*", "gemini-*"),
    sees=("claude-*", "gpt-*", "gemini-*"),
    probe="chat",  # a blocked account may list models
    disguised=("This account is not permitted to use the Genspark API",),
    doubtful_401=True,
)

MISTRAL = Vendor(
    "mistral",
    "Mistral",
    "openai",
    "https://api.mistral.ai/v1",
    keys_at="https://console.mistral.ai/api-keys",
    favourites=("mistral-medium-latest", "mistral-large-latest", "mistral-small-latest", "*-latest"),
    usage_option=False,  # usage comes unasked, and unknown fields are refused
)

HUGGINGFACE = Vendor(
    "huggingface",
    "Hugging Face",
    "openai",
    "https://router.huggingface.co/v1",
    key_setting="HF_TOKEN",
    keys_at="https://huggingface.co/settings/tokens",
    native="https://huggingface.co",
    favourites=("openai/gpt-oss-*", "qwen/*", "meta-llama/*", "deepseek-ai/*", "google/gemma-*"),
    # The listing is public, so it proves nothing.
    probe=Probe("GET", "native:/api/whoami-v2", permission="inference.serverless.write"),
)

COHERE = Vendor(
    "cohere",
    "Cohere",
    "openai",
    "https://api.cohere.ai/compatibility/v1",
    keys_at="https://dashboard.cohere.com/api-keys",
    native="https://api.cohere.com",
    favourites=("command-a-*", "command-r-plus*", "command-*"),
    listing="native:/v1/models?endpoint=chat&page_size=1000",
    probe=Probe("POST", "native:/v1/check-api-key", field="valid"),
    usage_option=False,  # refused
    sayings={"/ month": Meaning.MONEY},  # a trial key's calls are used up; "/ minute" is a rate
)

AI21 = Vendor(
    "ai21",
    "AI21",
    "openai",
    "https://api.ai21.com/studio/v1",
    keys_at="https://studio.ai21.com/account/api-key",
    favourites=("jamba-large", "jamba-mini"),
    static=("jamba-large", "jamba-mini"),
    probe="chat",  # it lists no models
    usage_option=False,
)

VENDORS: tuple[Vendor, ...] = (OPENAI, ANTHROPIC, GOOGLE, GENSPARK, MISTRAL, HUGGINGFACE, COHERE, AI21)
BY_NAME: Mapping[str, Vendor] = MappingProxyType({vendor.name: vendor for vendor in VENDORS})


def compatible(name: str, url: str, *, keyed: bool) -> Vendor:
    """The entry of an OpenAI-compatible server that the settings name; many of them want no key."""
    return Vendor(
        name,
        name,
        "openai",
        url,
        needs_key=keyed,
        sees=SEEING,
        probe="open",
        # Routers forbid a prompt with the status of a key that is not accepted.
        sayings={"moderation": Meaning.SAFETY, "flagged": Meaning.SAFETY},
    )


def at(vendor: Vendor, url: str = "", favourites: tuple[str, ...] = ()) -> Vendor:
    """The vendor at another address, or with other favourites: the settings may say so.

    What lies beside the wire is then looked for at the same origin.
    """
    parts = urlsplit(url)
    moved = {"url": url, "native": f"{parts.scheme}://{parts.netloc}" if vendor.native else ""} if url else {}
    listed = {"favourites": favourites, "static": favourites if vendor.static else ()} if favourites else {}
    return replace(vendor, **moved, **listed)  # type: ignore[arg-type]  # fields of Vendor by name


def entry(name: str) -> Vendor:
    """The vendor of that name; of a server of the settings what its name alone tells."""
    return BY_NAME.get(name) or compatible(name, "", keyed=True)


def title(name: str) -> str:
    """A vendor as people call it."""
    return entry(name).title
