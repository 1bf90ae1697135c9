"""THE table of vendors: one entry each, with everything that is special about it. Data only.

Sources: each vendor's own API reference (addresses, key checks, listings, error codes), read in November
2026. Genspark publishes none: its entry follows its open-source GenOffice app (`genspark-ai/genoffice`,
packages/ai-provider/src/providers.ts) and is best effort.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from core.model import FailureKind

WireName = Literal["openai", "anthropic", "gemini"]
NOTHING: Mapping[str, FailureKind] = MappingProxyType({})


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
    models of a vendor that lists none. `probe` = how a key is checked: a listing (`None`), a request, or a
    short `chat` whose text is read. `disguised` = sentences that come as an answer and are refusals.
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
    probe: Probe | Literal["chat"] | None = None
    limit_field: str = "max_tokens"
    usage_option: bool = True
    disguised: tuple[str, ...] = ()
    codes: Mapping[str, FailureKind] = field(default_factory=lambda: NOTHING)
    sayings: Mapping[str, FailureKind] = field(default_factory=lambda: NOTHING)
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
        "insufficient_quota": FailureKind.NO_MONEY,
        "credit_balance_exhausted": FailureKind.NO_MONEY,
        "billing_hard_limit_reached": FailureKind.NO_MONEY,
        "billing_not_active": FailureKind.NO_MONEY,
        "slow_down": FailureKind.RATE_LIMITED,
        "server_is_overloaded": FailureKind.OVERLOADED,
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
        "billing_error": FailureKind.NO_MONEY,
        "enforced_spend_limit_reached": FailureKind.NO_MONEY,
        "overloaded_error": FailureKind.OVERLOADED,
        "timeout_error": FailureKind.OVERLOADED,
        "api_error": FailureKind.OVERLOADED,
    },
    # The own spend limit and an empty balance come as 400 `invalid_request_error` without a code.
    sayings={
        "usage limits": FailureKind.NO_MONEY,
        "credit balance is too low": FailureKind.NO_MONEY,
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
        "api_key_invalid": FailureKind.KEY_REJECTED,
        "permission_denied": FailureKind.KEY_REJECTED,
        "unauthenticated": FailureKind.KEY_REJECTED,
        "failed_precondition": FailureKind.NO_MONEY,  # no free tier in that country: billing must be on
        "perday": FailureKind.NO_MONEY,  # the quota's id says which one is used up
        "resource_exhausted": FailureKind.RATE_LIMITED,
        "unavailable": FailureKind.OVERLOADED,
        "internal": FailureKind.OVERLOADED,
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
    return Vendor(name, name, "openai", url, needs_key=keyed)


def entry(name: str) -> Vendor:
    """The vendor of that name; of a server of the settings what its name alone tells."""
    return BY_NAME.get(name) or compatible(name, "", keyed=True)


def title(name: str) -> str:
    """A vendor as people call it."""
    return entry(name).title
