"""The header reader: what it says of a good file, and that no damaged one hurts it."""

import struct
from pathlib import Path

import pytest

from core.embedded.gguf import Header, HeaderBroken, bits_of, read_header, short_count
from tests.core.embedded.ggufs import LLAMA, gguf, put


def test_says_what_the_header_says(tmp_path: Path) -> None:
    """Name, architecture, quantisation, parameters, context and template come from the header."""
    expected = Header(
        kind="model",
        name="Nova 8B Instruct",
        architecture="llama",
        quant="Q4_K_M",
        params="8B",
        context=32768,
        chat_template=True,
        kv_bytes=2 * 4 * 2 * (8 + 8),
    )
    assert read_header(put(tmp_path / "a.gguf")) == expected


def test_counts_the_weights_when_no_label_says_it(tmp_path: Path) -> None:
    """The parameter count is the sum over the tensors."""
    keys = {k: v for k, v in LLAMA.items() if k != "general.size_label"}
    path = put(tmp_path / "a.gguf", gguf(keys, [(1000, 1000), (500, 1000)]))
    assert read_header(path).params == "1.5M"


def test_does_not_count_one_shard_for_the_whole(tmp_path: Path) -> None:
    """The first file of a split model holds only some of the weights."""
    keys = {k: v for k, v in LLAMA.items() if k != "general.size_label"} | {"split.count": 3}
    assert read_header(put(tmp_path / "a.gguf", gguf(keys))).params is None


def test_knows_a_template_with_tools(tmp_path: Path) -> None:
    """A template that mentions tools means a model that was taught to use them."""
    path = put(tmp_path / "a.gguf", gguf(LLAMA | {"tokenizer.chat_template": "{% if tools %}…{% endif %}"}))
    assert read_header(path).tools


def test_knows_an_embedding_model(tmp_path: Path) -> None:
    """An encoder is told by its architecture or its pooling."""
    path = put(
        tmp_path / "a.gguf", gguf({"general.architecture": "nomic-bert", "nomic-bert.pooling_type": 1})
    )
    assert read_header(path).embedding


def test_adds_up_heads_that_differ_by_layer(tmp_path: Path) -> None:
    """Memory for context is the sum over the layers where each has its own number of heads."""
    path = put(tmp_path / "a.gguf", gguf(LLAMA | {"llama.attention.head_count_kv": [2, 0, 4, 2]}))
    assert read_header(path).kv_bytes == 2 * 8 * (8 + 8)


def test_leaves_unknown_what_is_not_there(tmp_path: Path) -> None:
    """A header without keys is a good header that says nothing."""
    assert read_header(put(tmp_path / "a.gguf", gguf({}, []))) == Header(kind="model")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "ends inside its header"),
        (b"<!DOCTYPE html><html></html>", "not a GGUF file"),
        (b"GGUF" + struct.pack("<IQQ", 99, 0, 0), "version 99"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 2**60), "absurd number of entries"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**62), "absurdly long"),
        (gguf()[:-32], "cut off"),
    ],
)
def test_names_what_is_wrong(tmp_path: Path, data: bytes, reason: str) -> None:
    """A damaged file is refused with the reason."""
    with pytest.raises(HeaderBroken, match=reason):
        read_header(put(tmp_path / "a.gguf", data))


def test_any_cut_is_noticed(tmp_path: Path) -> None:
    """However much of the end is missing, the answer is HeaderBroken and nothing else."""
    whole = gguf()
    for length in range(len(whole) - 32):
        with pytest.raises(HeaderBroken):
            read_header(put(tmp_path / "a.gguf", whole[:length]))


@pytest.mark.parametrize("junk", [0x00, 0x09, 0x7F, 0xFF])
def test_any_damaged_byte_is_survived(tmp_path: Path, junk: int) -> None:
    """A wrong byte anywhere gives a header or HeaderBroken, never another error."""
    whole = gguf()
    for place in range(len(whole)):
        path = put(tmp_path / "a.gguf", whole[:place] + bytes([junk]) + whole[place + 1 :])
        try:
            read_header(path)
        except HeaderBroken as broken:
            assert str(broken)  # noqa: PT017  # either end is right: what must not come is another error


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (None, None),
        (0, None),
        (512, "512"),
        (134_515_008, "135M"),
        (7_615_616_512, "7.6B"),
        (70_000_000_000, "70B"),
    ],
)
def test_shortens_counts(count: int | None, shown: str | None) -> None:
    """Parameter counts read as people write them."""
    assert short_count(count) == shown


def test_bits_come_from_the_name() -> None:
    """The number in a quantisation's name is its bits per weight."""
    assert [bits_of(q) for q in ("Q4_K_M", "BF16", "IQ2_XS", None)] == [4, 16, 2, None]
