"""A fake LM Studio described in JSON, for a server that runs as a process of its own."""

from typing import Any

from tests.fakes.lmstudio.catalog import LOAD_ERRORS, FakeModel, Json
from tests.fakes.lmstudio.server import FakeLMStudio
from tests.fakes.lmstudio.switches import Switches


def _model(described: Json) -> FakeModel:
    fields: dict[str, Any] = dict(described)
    if fields.get("reasoning") is not None:
        fields["reasoning"] = tuple(fields["reasoning"])
    error = fields.get("load_error")
    fields["load_error"] = LOAD_ERRORS.get(error, error) if error is not None else None
    return FakeModel(**fields)


def build(script: Json, port: int = 0) -> FakeLMStudio:
    """`{"models": [...], "switches": {...}, "loaded": [...], "faults": [...]}`; all are optional.

    A model is the fields of `FakeModel`; `load_error` may be a number of the notes ("E1").
    A fault is the arguments of `FakeLMStudio.fault`.
    """
    unknown = set(script) - {"models", "switches", "loaded", "faults"}
    if unknown:
        raise ValueError(f"unknown keys in the script: {sorted(unknown)}")
    models = [_model(described) for described in script["models"]] if "models" in script else None
    switches = Switches(**script.get("switches", {}))
    server = FakeLMStudio(models, switches=switches, loaded=script.get("loaded", ()), port=port)
    for fault in script.get("faults", []):
        server.fault(**fault)
    return server
