"""LM Studio's JSON into values: what is known is taken over, what is not never breaks anything."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model import Model, ModelState
from core.providers.lmstudio import wire

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
V1_ROW: dict[str, Any] = {
    "type": "llm",
    "key": "acme/nova-8b",
    "display_name": "Nova 8B",
    "architecture": "nova",
    "quantization": {"name": "Q4_K_M", "bits_per_weight": 4},
    "size_bytes": 5023000000,
    "params_string": "8B",
    "loaded_instances": [{"id": "acme/nova-8b", "config": {"context_length": 8192}}],
    "max_context_length": 131072,
    "capabilities": {"vision": True, "trained_for_tool_use": True},
}
V0_ROW: dict[str, Any] = {
    "id": "acme/nova-8b",
    "type": "vlm",
    "arch": "nova",
    "quantization": "Q4_K_M",
    "state": "loaded",
    "max_context_length": 131072,
    "loaded_context_length": 8192,
    "capabilities": ["tool_use"],
}


def mutated(row: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The row with some of its values replaced by anything."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(row, JSON)).map(lambda odd: {**row, **odd})


def v1(*rows: Any) -> list[wire.Listed]:
    listed = wire.models_v1({"models": list(rows)}, "lmstudio", "h:1")
    assert listed is not None
    return listed


def test_v1_row() -> None:
    """Every field that matters is taken over; an instance alone does not make the model loaded."""
    (one,) = v1(V1_ROW)
    assert one.instances == (wire.Instance("acme/nova-8b", 8192),)
    assert one.model == Model(
        provider="lmstudio",
        host="h:1",
        key="acme/nova-8b",
        name="Nova 8B",
        state=ModelState.ON_DISK,
        family="nova",
        params="8B",
        quant="Q4_K_M",
        size_bytes=5023000000,
        max_context=131072,
        vision=True,
        tools=True,
    )


def test_v1_row_with_the_least() -> None:
    """A row of nothing but key and type is a model; embeddings and rows without a key are none."""
    rows = v1({"type": "llm", "key": "a"}, {"type": "embedding", "key": "e"}, {"type": "llm"}, None, 7)
    assert [(r.model.key, r.model.name, r.instances) for r in rows] == [("a", "a", ())]
    (odd,) = v1(V1_ROW | {"loaded_instances": [{"id": "i"}, {"config": {}}, "i"], "capabilities": None})
    assert odd.instances == (wire.Instance("i", None),)


@given(JSON | st.fixed_dictionaries({"models": st.lists(JSON | mutated(V1_ROW), max_size=3)}))
def test_v1_survives_anything(body: Any) -> None:
    """No JSON whatever breaks the reading of the v1 list, and what comes out has the types it says."""
    for one in wire.models_v1(body, "p", "h") or []:
        well_typed(one.model)
        assert all(i.context is None or i.context > 0 for i in one.instances)


@given(st.fixed_dictionaries({"data": st.lists(JSON | mutated(V0_ROW), max_size=3)}))
def test_v0_and_openai_survive_anything(body: Any) -> None:
    """No JSON whatever breaks the reading of v0's list and of the OpenAI one."""
    states = wire.states_v0(body)
    assert states is not None
    for one in [*wire.models_v0(body, "p", "h"), *(wire.models_openai(body, "p", "h") or [])]:
        well_typed(one.model)
    wire.with_states(v1(V1_ROW), states)


@given(JSON)
def test_other_shapes_survive_anything(body: Any) -> None:
    """Bodies of errors, load packets and RPC answers may be anything as well."""
    wire.states_v0(body)
    wire.models_openai(body, "p", "h")
    wire.listed_loaded(body)
    wire.load_packet(body)
    assert isinstance(wire.channel_error(body), str)
    error = wire.error_of(body)
    assert error is None or isinstance(error.text, str)


def well_typed(model: Model) -> None:
    for text in (model.family, model.params, model.quant):
        assert text is None or isinstance(text, str)
    for number in (model.size_bytes, model.max_context, model.loaded_context):
        assert number is None or 0 < number < 2**63  # what a database column holds
    assert isinstance(model.vision, bool)
    assert isinstance(model.tools, bool)


@pytest.mark.parametrize("number", [float("inf"), float("nan"), -1, 0, True, "9", 10**30])
def test_impossible_sizes_are_unknown(number: Any) -> None:
    """A size that no file can have is no size."""
    (one,) = v1(V1_ROW | {"size_bytes": number})
    assert one.model.size_bytes is None


ERRORS: list[tuple[Any, str | None, str]] = [
    ({"error": {"message": "m", "code": "c", "type": "t"}}, "m", "c"),
    ({"error": {"message": "m", "code": None}}, "m", ""),
    ({"error": "m"}, "m", ""),
    ({"error": {"reason": "r"}}, "{'reason': 'r'}", ""),
    ({"type": "error", "message": "m"}, "m", ""),
    ({"error": {"message": "m"}, "message": "m"}, "m", ""),
    ({"error": None}, None, ""),
    ({"error": {}}, None, ""),
    ({"choices": []}, None, ""),
    ([], None, ""),
]


@pytest.mark.parametrize(("body", "text", "code"), ERRORS)
def test_error_shapes(body: Any, text: str | None, code: str) -> None:
    """An error is found as an object, as a string and as an event, and nowhere else."""
    error = wire.error_of(body)
    assert (error.text if error else None) == text
    assert (error.code if error else "") == code


def test_missing_routes() -> None:
    """Unknown routes are told by their sentence."""
    error = wire.error_of({"error": "Unexpected endpoint or method. (GET /api/v1/models)"})
    assert error is not None
    assert error.route_missing
    assert not wire.ServerError("Model a not found").route_missing


# ---------------------------------------------------------------- states

NOVA = "acme/nova-8b"


def stated(instances: list[str], states: dict[str, str] | None) -> Model:
    """The model with these instances in v1 and these states in v0."""
    rows = [{"id": name, "config": {"context_length": 8192}} for name in instances]
    listed = v1(V1_ROW | {"loaded_instances": rows})
    seen = None if states is None else {k: wire.StateV0(s, 4096) for k, s in states.items()}
    return wire.with_states(listed, seen)[0]


Case = tuple[str, list[str], dict[str, str] | None, ModelState, str | None, int | None]
STATES: list[Case] = [
    ("nothing anywhere", [], {NOVA: "not-loaded"}, ModelState.ON_DISK, None, None),
    ("both say loaded", [NOVA], {NOVA: "loaded"}, ModelState.LOADED, NOVA, 4096),
    ("B1: v1 shows it from the start", [NOVA], {NOVA: "loading"}, ModelState.LOADING, None, None),
    ("B2: v1 is empty", [], {NOVA: "loaded"}, ModelState.LOADED, NOVA, 4096),
    ("v1 lags behind a load", [], {NOVA: "loading"}, ModelState.LOADING, None, None),
    ("B3: v0 lists only what is loaded", [], {}, ModelState.ON_DISK, None, None),
    ("B5: another identifier", ["job-17"], {NOVA: "not-loaded", "job-17": "loaded"}, ModelState.LOADED,
     "job-17", 4096),
    ("B5: and it loads", ["job-17"], {NOVA: "not-loaded", "job-17": "loading"}, ModelState.LOADING, None, None),
    ("no v0: v1 is believed", [NOVA], None, ModelState.LOADED, NOVA, 8192),
    ("one of two is ready", [NOVA, f"{NOVA}:2"], {NOVA: "loading", f"{NOVA}:2": "loaded"}, ModelState.LOADED,
     f"{NOVA}:2", 4096),
    ("an unknown state is not ready", [NOVA], {NOVA: "warming"}, ModelState.LOADING, None, None),
]  # fmt: skip


@pytest.mark.parametrize("case", STATES, ids=lambda case: str(case[0]))
def test_states(case: Case) -> None:
    """v0 decides where it speaks; the context is what is really loaded."""
    _, instances, states, *expected = case
    model = stated(instances, states)
    assert [model.state, model.instance, model.loaded_context] == expected


def test_v0_rows() -> None:
    """A build without v1: models without sizes, embeddings left out, vision from the type."""
    body = {"data": [V0_ROW, {"id": "e", "type": "embeddings"}, {"id": "b", "type": "llm"}, 3]}
    states = wire.states_v0(body)
    nova, plain = wire.with_states(wire.models_v0(body, "p", "h"), states)
    assert (nova.key, nova.vision, nova.tools, nova.quant, nova.size_bytes) == (
        NOVA, True, True, "Q4_K_M", None,
    )  # fmt: skip
    assert (nova.state, nova.loaded_context) == (ModelState.LOADED, 8192)
    assert (plain.key, plain.state, plain.vision, plain.tools) == ("b", ModelState.ON_DISK, False, False)


def test_v0_copies_belong_to_their_model() -> None:
    """`key:2` is a second copy of `key`, not another model; unloading must find it."""
    rows = [V0_ROW | {"state": "not-loaded"}, V0_ROW | {"id": f"{NOVA}:2", "state": "loaded"}]
    body = {"data": [*rows, {"id": "odd:2", "type": "llm", "state": "loaded"}]}
    listed = wire.models_v0(body, "p", "h")
    assert [(one.model.key, [i.id for i in one.instances]) for one in listed] == [
        (NOVA, [f"{NOVA}:2"]),
        ("odd:2", ["odd:2"]),
    ]
    nova = wire.with_states(listed, wire.states_v0(body))[0]
    assert (nova.state, nova.instance) == (ModelState.LOADED, f"{NOVA}:2")


def test_openai_rows() -> None:
    """Names only; embedding models are told by their name."""
    body = {"data": [{"id": "a"}, {"id": "nomic-EMBED-text"}, {"object": "model"}]}
    assert [one.model.key for one in wire.models_openai(body, "p", "h") or []] == ["a"]


# ---------------------------------------------------------------- WebSocket packets

PACKETS: list[tuple[Any, wire.LoadPacket]] = [
    ({"type": "progress", "progress": 0.42}, wire.LoadProgress(0.42)),
    ({"type": "loadProgress", "progress": 1}, wire.LoadProgress(1.0)),
    (
        {"type": "success", "info": {"identifier": "a", "contextLength": 8}},
        wire.LoadDone("a", 8, already=False),
    ),
    ({"type": "alreadyLoaded", "info": {}}, wire.LoadDone("", None, already=True)),
    ({"type": "resolved", "info": {}}, wire.LoadNote("resolved")),
    ({"type": "brandNew"}, wire.LoadNote("brandNew")),
    ("?", wire.LoadNote("?")),
]


@pytest.mark.parametrize(("message", "packet"), PACKETS)
def test_load_packets(message: Any, packet: wire.LoadPacket) -> None:
    """Packets of both channels mean the same; unknown ones mean nothing."""
    assert wire.load_packet(message) == packet


def test_channel_error() -> None:
    """Every part of the error object is kept once, since the cause may be in any of them."""
    error = {"title": "Failed to load model.", "rootTitle": "Failed to load model.", "cause": "Why", "x": 1}
    assert wire.channel_error(error) == "Failed to load model. — Why"
    assert wire.channel_error({}) == "?"


def test_listed_loaded() -> None:
    """Rows of `listLoaded` without an identifier are passed over."""
    rows = [{"identifier": "a", "modelKey": "k", "contextLength": 9}, {"modelKey": "k"}, None]
    assert wire.listed_loaded(rows) == [wire.LoadedInfo("a", "k", 9)]
