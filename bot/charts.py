"""Measurements as a picture for a telephone: its own background and large type, so that dark and light rooms do.

The only home of matplotlib, which is imported when a picture is asked for, and drawn with in a thread.
"""

import asyncio
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

WIDTH, DPI = 1080, 120  # pixels
TITLE, HEAD, FOOT = 90, 70, 80  # pixels of height: of the picture's title, above and below a plot
PLOT, ROW, LEGEND = 320, 84, 40  # of the days, of a row of bars, of a line of the legend
SERIES = 5  # models by name; the others are one
LONGEST = 26  # characters of a name
BACKGROUND, TEXT, GRID = "#101820", "#F2F5F7", "#3A4652"
# Okabe and Ito's colours, which the colour-blind tell apart; all of them stand out from the background.
COLOURS = ("#56B4E9", "#E69F00", "#009E73", "#F0E442", "#CC79A7", "#A9B4BE")
FAILURE = "#FF7A5C"


class NoCharts(Exception):
    """The library for pictures is not installed."""


@dataclass(frozen=True, slots=True)
class Words:
    """The titles, in the reader's language; `others` = models that have no colour of their own."""

    title: str
    use: str
    loads: str
    failures: str
    others: str
    p90: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """What to draw; a part without data is left out.

    `days` = answers by model per day, `until` = the last day that is shown; `loads` = model, mean and 90th
    percentile in seconds; `failures` = how often by reason.
    """

    words: Words
    days: Mapping[date, Mapping[str, int]]
    until: date
    span: int  # days that are shown
    loads: Sequence[tuple[str, float, float]] = ()
    failures: Mapping[str, int] | None = None

    @property
    def used(self) -> bool:
        """Whether anything was answered on the days that are shown."""
        first = self.until - timedelta(days=self.span - 1)
        return any(first <= day <= self.until and any(models.values()) for day, models in self.days.items())

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not (self.used or self.loads or self.failures)


async def drawn(drawing: Drawing) -> bytes | None:
    """The picture as PNG; `None` if there is nothing to draw. Raises NoCharts."""
    return None if drawing.empty else await asyncio.to_thread(draw, drawing)


def draw(drawing: Drawing) -> bytes:
    """See `drawn`; takes a second the first time. Works in any thread: nothing of the library's state is global."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  # see above
        from matplotlib.figure import Figure  # noqa: PLC0415  # same
    except ImportError as missing:
        raise NoCharts(missing.name or "matplotlib") from missing
    parts = [part for part in _parts(drawing) if part.plot]
    height = TITLE + sum(HEAD + part.plot + part.foot for part in parts)
    figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor=BACKGROUND)
    canvas = FigureCanvasAgg(figure)
    figure.text(
        0.5, 1 - TITLE / 2 / height, written(drawing.words.title), color=TEXT, fontsize=20, fontweight="bold",
        ha="center", va="center",
    )  # fmt: skip
    top = TITLE
    for part in parts:
        below = height - top - HEAD - part.plot
        axes = figure.add_axes((part.left, below / height, 0.95 - part.left, part.plot / height))
        _dress(axes, part.title)
        part.paint(axes, drawing)
        top += HEAD + part.plot + part.foot
    png = io.BytesIO()
    canvas.print_png(png)  # type: ignore[no-untyped-call]  # the library has no types there
    return png.getvalue()


@dataclass(frozen=True, slots=True)
class _Part:
    """A plot with its title: heights in pixels (0: no data), and where it begins from the left, 0..1."""

    title: str
    paint: Callable[["Axes", Drawing], None]
    plot: int
    foot: int
    left: float


def _parts(drawing: Drawing) -> list[_Part]:
    words = drawing.words
    models = {name for day in drawing.days.values() for name in day}
    lines = -(-min(len(models), SERIES + 1) // 2)
    rows = min(len(drawing.loads), SERIES + 1), min(len(drawing.failures or {}), SERIES + 1)
    return [
        _Part(words.use, _use, PLOT if drawing.used else 0, FOOT + LEGEND * lines, 0.09),
        _Part(words.loads, _loads, ROW * rows[0], FOOT, 0.30),
        _Part(words.failures, _failures, ROW * rows[1], FOOT, 0.30),
    ]


def _dress(axes: "Axes", title: str) -> None:
    axes.set_facecolor(BACKGROUND)
    axes.set_title(written(title), color=TEXT, fontsize=15, loc="left", pad=10)
    axes.tick_params(colors=TEXT, labelsize=12, length=0)
    for name, spine in axes.spines.items():
        spine.set_visible(name == "bottom")
        spine.set_color(GRID)
    axes.set_axisbelow(True)


def _use(axes: "Axes", drawing: Drawing) -> None:
    """Bars for each day, one colour for each of the models most used; days without use stay empty."""
    days = [drawing.until - timedelta(days=back) for back in reversed(range(drawing.span))]
    total: Counter[str] = Counter()
    for day in days:
        total.update(drawing.days.get(day, {}))
    named = [name for name, _ in total.most_common(SERIES)]
    below = [0] * len(days)
    for place, name in enumerate([*named, None] if len(total) > SERIES else named):
        heights = [_height(drawing.days.get(day, {}), name, named) for day in days]
        label = written(drawing.words.others) if name is None else shortened(name)
        axes.bar(range(len(days)), heights, bottom=below, width=0.82, color=COLOURS[place], label=label)
        below = [under + height for under, height in zip(below, heights, strict=True)]
    _whole(axes.yaxis, 4)
    axes.yaxis.grid(visible=True, color=GRID, linewidth=0.8)
    step = max(1, -(-len(days) // 6))
    shown = list(range(len(days) - 1, -1, -step))
    axes.set_xticks(shown, [f"{days[at]:%d/%m}" for at in shown])
    axes.set_xlim(-0.7, len(days) - 0.3)
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2, fontsize=12, labelcolor=TEXT, frameon=False,
        handlelength=1.0, columnspacing=1.5,
    )  # fmt: skip


def _height(day: Mapping[str, int], name: str | None, named: Sequence[str]) -> int:
    if name is not None:
        return day.get(name, 0)
    return sum(times for model, times in day.items() if model not in named)


def _loads(axes: "Axes", drawing: Drawing) -> None:
    """The mean as a bar, the 90th percentile as a mark behind it."""
    loads = list(drawing.loads)[: SERIES + 1]
    places = range(len(loads))
    axes.barh(places, [mean for _, mean, _ in loads], height=0.55, color=COLOURS[0])
    axes.plot(
        [p90 for _, _, p90 in loads], places, linestyle="", marker="|", markersize=22, markeredgewidth=4,
        color=COLOURS[1], label=written(drawing.words.p90),
    )  # fmt: skip
    _rows(axes, [shortened(name) for name, _, _ in loads])
    axes.set_xlim(0, max(max(mean, p90) for _, mean, p90 in loads) * 1.08 or 1)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} s")
    axes.legend(
        loc="upper right",
        bbox_to_anchor=(1.0, 1 + 70 / (ROW * len(loads))),
        fontsize=12,
        labelcolor=TEXT,
        frameon=False,
    )


def _failures(axes: "Axes", drawing: Drawing) -> None:
    most = sorted((drawing.failures or {}).items(), key=lambda one: (-one[1], one[0]))[: SERIES + 1]
    axes.barh(range(len(most)), [times for _, times in most], height=0.55, color=FAILURE)
    _rows(axes, [shortened(reason) for reason, _ in most])
    axes.set_xlim(0, most[0][1] * 1.08)
    _whole(axes.xaxis, 5)


def _whole(axis: "Axis", steps: int) -> None:
    """There are no half answers."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  # see above

    axis.set_major_locator(MaxNLocator(nbins=steps, integer=True))


def _rows(axes: "Axes", names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)  # the first on top
    axes.xaxis.grid(visible=True, color=GRID, linewidth=0.8)


def shortened(name: str) -> str:
    """A name that leaves the bars their room; both its ends tell models apart."""
    half = (LONGEST - 1) // 2
    return written(name if len(name) <= LONGEST else f"{name[:half]}…{name[-half:]}")


def written(text: str) -> str:
    """A text as the library draws it: no formula, no label that it hides, and no letter that its font lacks."""
    from matplotlib.font_manager import findfont, get_font  # noqa: PLC0415  # see above

    known = get_font(findfont("DejaVu Sans")).get_charmap()
    shown = "".join(letter if ord(letter) in known else "□" for letter in text).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown
