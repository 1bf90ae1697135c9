"""LM Studio's JSON into values, without I/O.

Shapes are those of LM Studio 0.4.x (native v1, native v0, OpenAI-compatible). Every optional field may
be absent, unknown enumeration values are kept out of decisions, unknown fields are ignored: newer builds
add them without notice.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.model import Estimate, Model, ModelState

ROUTE_MISSING = "unexpected endpoint or method"
_IMPOSSIBLE = 2**63  # no file and no context is that large, and no database column holds it
_COPY = re.compile(r":\d+$")  # the second instance of `key` is called `key:2`


@dataclass(frozen=True, slots=True)
class ServerError:
    """What the server said of a failure: `error` may be an object or a bare string."""

    text: str
    code: str = ""
    type: str = ""

    @property
    def route_missing(self) -> bool:
        """Unknown routes answer 200 (sometimes 404) with this sentence."""
        return ROUTE_MISSING in self.text.lower()


def error_of(body: Any) -> ServerError | None:
    """The error in a body or a stream frame, whatever its status was; `None` if there is none."""
    match body:
        case {"error": {"message": str(text), **more}}:
            return ServerError(text, _text(more.get("code")), _text(more.get("type")))
        case {"error": str(text)}:
            return ServerError(text)
        case {"error": {**more}} if more:
            return ServerError(str(more))
        case {"type": "error", "message": str(text)}:
            return ServerError(text)
        case _:
            return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _known(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: Any) -> int | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and 1 <= value < _IMPOSSIBLE else None


@dataclass(frozen=True, slots=True)
class Instance:
    """A copy of a model in memory (or on its way there: v1 lists it from the start of the load)."""

    id: str
    context: int | None
    parallel: int | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A model as a listing names it, with its instances."""

    model: Model
    instances: tuple[Instance, ...] = ()


@dataclass(frozen=True, slots=True)
class StateV0:
    """`state` of v0, the one readiness signal on HTTP: `not-loaded`, `loading`, `loaded`."""

    state: str
    context: int | None


def models_v1(body: Any, provider: str, host: str) -> list[Listed] | None:
    """`GET /api/v1/models`; `None` when the body has another shape (the route is missing)."""
    match body:
        case {"models": list(rows)}:
            return list(_rows_v1(rows, provider, host))
        case _:
            return None


def _rows_v1(rows: list[Any], provider: str, host: str) -> Iterator[Listed]:
    for row in rows:
        match row:
            case {"key": str(key), "type": "llm"}:
                capabilities = _object(row.get("capabilities"))
                model = Model(
                    provider=provider,
                    host=host,
                    key=key,
                    name=_text(row.get("display_name")) or key,
                    state=ModelState.ON_DISK,
                    family=_known(row.get("architecture")),
                    params=_known(row.get("params_string")),
                    quant=_known(_object(row.get("quantization")).get("name")),
                    size_bytes=_whole(row.get("size_bytes")),
                    max_context=_whole(row.get("max_context_length")),
                    vision=bool(capabilities.get("vision")),
                    tools=bool(capabilities.get("trained_for_tool_use")),
                    format=_known(row.get("format")),
                )
                yield Listed(model, tuple(_instances(row.get("loaded_instances"))))
            case _:
                continue


def _instances(rows: Any) -> Iterator[Instance]:
    for row in rows if isinstance(rows, list) else []:
        match row:
            case {"id": str(name)}:
                config = _object(row.get("config"))
                yield Instance(name, _whole(config.get("context_length")), _whole(config.get("parallel")))
            case _:
                continue


def states_v0(body: Any) -> dict[str, StateV0] | None:
    """`GET /api/v0/models` as id -> state; an id may be a key or an instance (`key:2`)."""
    match body:
        case {"data": list(rows)}:
            return {
                row["id"]: StateV0(_text(row.get("state")), _whole(row.get("loaded_context_length")))
                for row in rows
                if isinstance(row, dict) and isinstance(row.get("id"), str)
            }
        case _:
            return None


def models_v0(body: Any, provider: str, host: str) -> list[Listed]:
    """The same list as models, for a build without v1 (before 0.4.0): no sizes there."""
    found: dict[str, Listed] = {}
    for row in body["data"]:
        match row:
            case {"id": str(key), "type": "llm" | "vlm" as kind}:
                instances = (Instance(key, None),) if _text(row.get("state")) in {"loaded", "loading"} else ()
                original = found.get(_COPY.sub("", key))
                if original is not None and original.model.key != key:
                    copies = (*original.instances, *instances)
                    found[original.model.key] = replace(original, instances=copies)
                    continue
                capabilities = row.get("capabilities")
                model = Model(
                    provider=provider,
                    host=host,
                    key=key,
                    name=key,
                    state=ModelState.ON_DISK,
                    family=_known(row.get("arch")),
                    quant=_known(row.get("quantization")),
                    max_context=_whole(row.get("max_context_length")),
                    vision=kind == "vlm",
                    tools=isinstance(capabilities, list) and "tool_use" in capabilities,
                    format=_known(row.get("compatibility_type")),
                )
                found[key] = Listed(model, instances)
            case _:
                continue
    return list(found.values())


def models_openai(body: Any, provider: str, host: str) -> list[Listed] | None:
    """`GET /v1/models`: names only, without any state. Embedding models are told by their name."""
    match body:
        case {"data": list(rows)}:
            keys = [r["id"] for r in rows if isinstance(r, dict) and isinstance(r.get("id"), str)]
            return [
                Listed(Model(provider=provider, host=host, key=k, name=k, state=ModelState.ON_DISK))
                for k in keys
                if "embed" not in k.lower()
            ]
        case _:
            return None


def with_states(listed: list[Listed], states: Mapping[str, StateV0] | None) -> list[Model]:
    """Join the list with v0's states.

    v1 shows an instance from the very start of its load, so an instance alone does not mean ready:
    v0 decides where it speaks. Where v0 is missing or does not know the instance, v1 is believed.
    """
    return [_stated(one, states or {}) for one in listed]


def _stated(one: Listed, states: Mapping[str, StateV0]) -> Model:
    loading = False
    for instance in one.instances:
        seen = states.get(instance.id)
        if seen is None or seen.state == "loaded":
            context = (seen.context if seen else None) or instance.context
            return replace(
                one.model,
                state=ModelState.LOADED,
                instance=instance.id,
                loaded_context=context,
                parallel=instance.parallel,
            )
        loading = True
    own = states.get(one.model.key)
    if own is not None and own.state == "loaded":  # v1 may lag behind
        context = own.context
        return replace(one.model, state=ModelState.LOADED, instance=one.model.key, loaded_context=context)
    if loading or (own is not None and own.state == "loading"):
        return replace(one.model, state=ModelState.LOADING)
    return one.model


def instances_of(one: Listed, states: Mapping[str, StateV0] | None) -> list[str]:
    """Every instance of a model that either list knows: now and then v1 names none of a loaded model."""
    awake = [name for name, seen in (states or {}).items() if seen.state in {"loaded", "loading"}]
    ours = [name for name in awake if _bare(name) == _bare(one.model.key)]
    return list(dict.fromkeys([*(instance.id for instance in one.instances), *ours]))


def names(model: Model, name: str) -> bool:
    """Whether that is the model: with one model loaded LM Studio lets it answer for any unknown name.

    Some routes add `@quant` or the number of a copy, and keys match without case.
    """
    return not name or _bare(name) in {_bare(model.key), _bare(model.instance or "")}


def served_by(body: Any) -> str:
    """Which model answered, by the server's own word."""
    return _text(_object(body).get("model"))


def _bare(name: str) -> str:
    return _COPY.sub("", name.partition("@")[0].lower())


# ---------------------------------------------------------------- WebSocket load packets


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """`progress` (0..1) of a load."""

    fraction: float


@dataclass(frozen=True, slots=True)
class LoadDone:
    """`success`, `loadSuccess` or `alreadyLoaded`: `identifier` names the instance."""

    identifier: str
    context: int | None
    already: bool


@dataclass(frozen=True, slots=True)
class LoadNote:
    """A packet that changes nothing for us (`resolved`, `startLoading`, or one of a newer build)."""

    kind: str


LoadPacket = LoadProgress | LoadDone | LoadNote


def load_packet(message: Any) -> LoadPacket:
    """A packet of the channels `loadModel` and `getOrLoad` (lmstudio-js, lms-external-backend-interfaces)."""
    match message:
        case {"type": "progress" | "loadProgress", "progress": int(fraction) | float(fraction)}:
            return LoadProgress(float(fraction))
        case {"type": "success" | "loadSuccess" | "alreadyLoaded" as kind, "info": dict(info)}:
            identifier = _text(info.get("identifier"))
            return LoadDone(identifier, _whole(info.get("contextLength")), kind == "alreadyLoaded")
        case {"type": str(kind)}:
            return LoadNote(kind)
        case _:
            return LoadNote("?")


def channel_error(error: Any) -> str:
    """The words of a WebSocket error object `{title, rootTitle, cause?, suggestion?}`."""
    match error:
        case {**fields}:
            words = [_text(fields.get(name)) for name in ("rootTitle", "title", "cause", "suggestion")]
            seen = list(dict.fromkeys(w.strip() for w in words if w.strip()))
            return " — ".join(seen) or "?"
        case _:
            return str(error)


@dataclass(frozen=True, slots=True)
class LoadedInfo:
    """A row of `listLoaded`."""

    identifier: str
    key: str
    context: int | None
    name: str = ""
    size_bytes: int | None = None
    last_used: float | None = None  # seconds since the epoch, by the host's clock


def listed_loaded(result: Any) -> list[LoadedInfo]:
    """The answer of the RPC `listLoaded`."""
    rows = result if isinstance(result, list) else []
    return [
        LoadedInfo(
            r["identifier"],
            _text(r.get("modelKey")),
            _whole(r.get("contextLength")),
            _text(r.get("displayName")),
            _whole(r.get("sizeBytes")),
            used / 1000 if (used := _whole(r.get("lastUsedTime"))) else None,
        )
        for r in rows
        if isinstance(r, dict) and isinstance(r.get("identifier"), str)
    ]


def estimate(answer: Any) -> Estimate | None:
    """The answer of `estimateModelUsage`; its size may be absurd or no number, which counts as no estimate."""
    match answer:
        case {"memory": {"totalBytes": total}, "passesGuardrails": bool(fits)} if size := _whole(total):
            return Estimate(size, fits)
        case _:
            return None


def is_processing(state: Any) -> bool | None:
    """Whether `getInstanceProcessingState` says that somebody is being answered; `None` if it says nothing."""
    match state:
        case {"status": str(status), "queued": int(queued)}:
            return status != "idle" or queued > 0
        case {"status": str(status)}:
            return status != "idle"
        case _:
            return None
