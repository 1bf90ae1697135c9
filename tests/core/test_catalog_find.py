"""Finding the model a person means."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.catalog import Catalog
from core.errors import ModelAmbiguous, ModelUnknown
from core.model import Model
from tests.core.test_catalog import opened
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeLoader, FakeProvider, a_model, external


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Catalog]:
    """A catalogue with names that are alike."""
    listed = [
        a_model("qwen/qwen3-8b", name="Qwen3 8B"),
        a_model("qwen/qwen3-8b-vl", name="Qwen3 VL"),
        a_model("acme/nova", name="Nova Prime"),
        a_model("acme/tiny", name="Tiny", quant="Q4_K_M"),
        a_model("engine/scripted", name="Scripted", by_name_only=True),
    ]
    other = FakeLoader([a_model("acme/nova", name="Nova Prime", host="b:2")], host="b:2")
    async with opened(tmp_path, FakeClock(), FakeLoader(listed), other, FakeProvider()) as catalog:
        await catalog.sync()
        yield catalog


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("qwen/qwen3-8b", "qwen/qwen3-8b"),
        (" QWEN/Qwen3-8B ", "qwen/qwen3-8b"),
        ("qwen3 vl", "qwen/qwen3-8b-vl"),
        ("-vl", "qwen/qwen3-8b-vl"),
        ("vl qwen", "qwen/qwen3-8b-vl"),
        ("nova b:2", "acme/nova"),
        ("Acme/Tiny@q4_k_m", "acme/tiny"),
        ("#" + external().tag, "gpt-mini"),
        ("#" + a_model("engine/scripted").tag.upper(), "engine/scripted"),
        ("engine/scripted", "engine/scripted"),
        ("scripted", "engine/scripted"),
        (external().id, "gpt-mini"),
    ],
)
def test_find(shelf: Catalog, text: str, key: str) -> None:
    """By key, name or id whatever the case, by a part that only one has, by tag, also on another host."""
    assert shelf.find(text).key == key


def test_find_ambiguous(shelf: Catalog) -> None:
    """Several that match are all offered, with the command that was meant."""
    with pytest.raises(ModelAmbiguous) as caught:
        shelf.find("qwen", "load")
    assert len(caught.value.options) > 1
    assert caught.value.verb == "load"


def test_find_on_several_hosts(shelf: Catalog) -> None:
    """The same model on two hosts is one model: its best place is found."""
    assert shelf.find("acme/nova").pool == "lmstudio|acme/nova"
    assert len(shelf.places(shelf.find("acme/nova"))) == 2


@pytest.mark.parametrize(
    ("text", "near"), [("qven3", "qwen/qwen3-8b"), ("novva", "acme/nova"), ("gptmini", "gpt-mini")]
)
def test_find_near(shelf: Catalog, text: str, near: str) -> None:
    """A slip of the finger finds what was meant, three at most."""
    with pytest.raises(ModelUnknown) as caught:
        shelf.find(text)
    assert near in [m.key for m in caught.value.near]
    assert len(caught.value.near) <= 3


@pytest.mark.parametrize("text", ["", "zzzzzz", "#abcdefgh", "script"])
def test_find_nothing(shelf: Catalog, text: str) -> None:
    """Nothing is near to nothing; a hidden model is found by its exact name alone."""
    with pytest.raises(ModelUnknown) as caught:
        shelf.find(text)
    assert not any(m.by_name_only for m in caught.value.near)


def test_get(shelf: Catalog) -> None:
    """By id, as last seen; no id is no model."""
    model: Model | None = shelf.get(external().id)
    assert model == external()
    assert shelf.get(None) is None
    assert shelf.get("x") is None


def test_find_with_another_quantisation(shelf: Catalog) -> None:
    """A quantisation that is not there is not quietly replaced; the model that is there is offered."""
    with pytest.raises(ModelUnknown) as caught:
        shelf.find("acme/tiny@q8_0")
    assert caught.value.near[0].key == "acme/tiny"
