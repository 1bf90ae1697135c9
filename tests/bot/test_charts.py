"""Pictures of the figures: the right size, readable anywhere, and with everything in them that there is."""

import asyncio
import struct
import zlib
from collections import Counter
from datetime import date, timedelta

import pytest

from bot.charts import (
    BACKGROUND,
    COLOURS,
    FAILURE,
    GRID,
    HEAD,
    LONGEST,
    SERIES,
    TEXT,
    TITLE,
    WIDTH,
    Drawing,
    Words,
    draw,
    drawn,
    shortened,
)

WORDS = Words("Figuras · últimos 30 dias", "Respostas", "Carregamento", "Falhas", "outros", "9 de 10")
TODAY = date(2026, 11, 26)
LONG = "llama-3.3-70b-instruct-q4_k_m-imatrix"
ALL = Drawing(
    WORDS,
    {TODAY - timedelta(days=n): {f"m{n % 7}": n + 1, LONG: 2} for n in range(0, 30, 2)},
    TODAY,
    30,
    [("qwen3-8b", 9.1, 14.0), (LONG, 88.0, 140.0)],
    {"sem memória": 4, "caiu": 1},
)


def colour(name: str) -> tuple[int, int, int]:
    return int(name[1:3], 16), int(name[3:5], 16), int(name[5:7], 16)


def pixels(png: bytes) -> tuple[int, int, Counter[tuple[int, int, int]]]:
    """Width, height, and how often each colour stands in a picture of 8-bit RGBA without interlacing."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, kind, _, _, interlace = struct.unpack(">IIBBBBB", png[16:29])
    assert (depth, kind, interlace) == (8, 6, 0)
    at, packed = 8, b""
    while at < len(png):
        (length,), name = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        packed += png[at + 8 : at + 8 + length] if name == b"IDAT" else b""
        at += 12 + length
    return width, height, _colours(zlib.decompress(packed), width, height)


def _colours(raw: bytes, width: int, height: int) -> Counter[tuple[int, int, int]]:
    found: Counter[tuple[int, int, int]] = Counter()
    stride, before = 4 * width, bytes(4 * width)
    for row in range(height):
        line = bytearray(raw[row * (stride + 1) + 1 : (row + 1) * (stride + 1)])
        _unfilter(raw[row * (stride + 1)], line, before)
        found.update(zip(line[::4], line[1::4], line[2::4], strict=True))
        before = bytes(line)
    return found


def _unfilter(kind: int, line: bytearray, before: bytes) -> None:
    for n in range(len(line)) if kind else ():
        left, up = line[n - 4] if n >= 4 else 0, before[n]
        corner = before[n - 4] if n >= 4 else 0
        match kind:
            case 1:
                guess = left
            case 2:
                guess = up
            case 3:
                guess = (left + up) // 2
            case _:
                near = left + up - corner
                guess = min((abs(near - one), place, one) for place, one in enumerate((left, up, corner)))[2]
        line[n] = (line[n] + guess) % 256


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two colours, 1..21."""

    def light(name: str) -> float:
        parts = [c / 255 for c in colour(name)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((light(one), light(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_everything_is_in_it() -> None:
    """As wide as a telephone's screen; each model, each load with its mark and each failure has its pixels."""
    width, height, found = pixels(draw(ALL))
    assert width == WIDTH
    assert TITLE + 3 * HEAD < height < 2 * WIDTH
    for name in (*COLOURS, FAILURE):
        assert found[colour(name)] > 300, name
    assert found[colour(TEXT)] > 1000
    assert found[colour(BACKGROUND)] > width * height / 2


@pytest.mark.parametrize(
    ("drawing", "there", "missing"),
    [
        (Drawing(WORDS, {TODAY: {"a": 1}}, TODAY, 30), COLOURS[:1], [*COLOURS[1:], FAILURE]),
        (Drawing(WORDS, {}, TODAY, 30, [("a", 1.0, 2.0)]), COLOURS[:2], [*COLOURS[2:], FAILURE]),
        (Drawing(WORDS, {}, TODAY, 30, failures={"x": 1}), [FAILURE], COLOURS),
    ],
    ids=["use", "loads", "failures"],
)
def test_a_part_without_data_is_left_out(drawing: Drawing, there: list[str], missing: list[str]) -> None:
    """What there is takes the picture for itself."""
    _, height, found = pixels(draw(drawing))
    assert height < WIDTH
    assert all(found[colour(name)] > 300 for name in there)
    assert not any(found[colour(name)] for name in missing)


async def test_nothing_to_draw() -> None:
    """Then there is no picture."""
    assert await drawn(Drawing(WORDS, {}, TODAY, 30)) is None


def test_readable_in_dark_and_light_rooms() -> None:
    """The picture has its own background: text at least 7 to 1 against it, colours 3 to 1, lines of the grid do not shout."""
    assert contrast(TEXT, BACKGROUND) >= 7
    assert all(contrast(name, BACKGROUND) >= 3 for name in (*COLOURS, FAILURE))
    assert contrast(GRID, BACKGROUND) < 2.5
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


async def test_two_at_once() -> None:
    """Pictures drawn in two threads are those drawn one after the other."""
    small = Drawing(WORDS, {TODAY: {"a": 1}}, TODAY, 7)
    alone = [draw(ALL), draw(small)]
    assert list(await asyncio.gather(drawn(ALL), drawn(small))) == alone


@pytest.mark.parametrize(
    ("name", "short"),
    [("qwen3-8b", "qwen3-8b"), (LONG, "llama-3.3-70…_k_m-imatrix"), ("x" * LONGEST, "x" * LONGEST)],
)
def test_long_names(name: str, short: str) -> None:
    """Both ends stay: they tell models apart."""
    assert shortened(name) == short
    assert len(short) <= LONGEST


def test_many_models_have_one_colour_together() -> None:
    """Those beyond the most used ones are the others."""
    assert len(COLOURS) == SERIES + 1
    few = Drawing(WORDS, {TODAY: {f"m{n}": 5 for n in range(SERIES)}}, TODAY, 7)
    assert pixels(draw(few))[2][colour(COLOURS[SERIES])] == 0
    more = Drawing(WORDS, {TODAY: {f"m{n}": 5 for n in range(SERIES + 3)}}, TODAY, 7)
    assert pixels(draw(more))[2][colour(COLOURS[SERIES])] > 300


@pytest.mark.parametrize("name", [r"$\frac{$", "a$x_1$b", "_hidden", "通义千问-7b", "🦙 llama"])
def test_a_name_is_a_name_whatever_stands_in_it(name: str) -> None:
    """No formula, no secret sign of the library, and letters that its font lacks cost no picture."""
    only = Drawing(
        Words(name, "a", "b", "c", "d", "e"), {TODAY: {name: 3}}, TODAY, 7, [(name, 1.0, 2.0)], {name: 1}
    )
    plain = Drawing(
        Words("x", "a", "b", "c", "d", "e"), {TODAY: {"x": 3}}, TODAY, 7, [("x", 1.0, 2.0)], {"x": 1}
    )
    width, height, found = pixels(draw(only))
    assert (width, height) == pixels(draw(plain))[:2]
    assert found[colour(COLOURS[0])] > 300


def test_a_leading_underscore_stands_in_the_legend() -> None:
    """The library hides such labels by itself."""
    texts = [
        pixels(draw(Drawing(WORDS, {TODAY: {n: 3}}, TODAY, 7)))[2][colour(TEXT)] for n in ("_abc", "abc")
    ]
    assert texts[0] >= texts[1]


def test_days_beyond_what_is_shown_are_no_data() -> None:
    """Nor are days without an answer: no empty plot is drawn for them."""
    assert Drawing(WORDS, {TODAY - timedelta(days=40): {"a": 1}}, TODAY, 30).empty
    assert Drawing(WORDS, {TODAY: {}}, TODAY, 30).empty
    assert not Drawing(WORDS, {TODAY: {"a": 1}}, TODAY, 30).empty


def test_a_mean_above_the_percentile_is_not_cut() -> None:
    """One load of hours among quick ones: the axis reaches to the end of the bar and beyond."""

    def bar(p90: float) -> int:
        return pixels(draw(Drawing(WORDS, {}, TODAY, 30, [("a", 100.0, p90)])))[2][colour(COLOURS[0])]

    assert bar(10.0) == pytest.approx(bar(100.0), rel=0.04)
