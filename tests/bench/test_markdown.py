"""The price of Markdown: `python -m pytest -m bench -s tests/bench/test_markdown.py`. Printed, never asserted."""

import statistics
import time
from collections.abc import Callable

import pytest

from bot.markdown import Growing, discord, parts, render, split, utf16
from tests.bot.markdown_texts import CORPUS

SIZE = 4096
RUNS = 40
ANSWER = "\n\n".join(CORPUS.values())
TEXT = (ANSWER * (SIZE // len(ANSWER) + 1))[:SIZE]
TOKEN = 4  # characters that come at once


def _ms(work: Callable[[], object]) -> float:
    def once() -> float:
        started = time.process_time()
        work()
        return (time.process_time() - started) * 1000

    return statistics.median(once() for _ in range(RUNS))


def _grow() -> None:
    growing = Growing()
    for end in range(TOKEN, len(TEXT) + TOKEN, TOKEN):
        growing.take(TEXT[:end])


@pytest.mark.bench
def test_price_of_markdown() -> None:
    """Print the CPU time for 4 KB of a model's answer, whole and word by word."""
    rendered = render(TEXT)
    print()
    print(f"render               {_ms(lambda: render(TEXT)):6.2f} ms / 4 KB")
    print(f"parts + utf16        {_ms(lambda: [utf16(p) for p in parts(rendered)]):6.2f} ms / 4 KB")
    print(f"discord              {_ms(lambda: discord(TEXT)):6.2f} ms / 4 KB")
    print(f"split for Discord    {_ms(lambda: split(TEXT, units='codepoints')):6.2f} ms / 4 KB")
    started = time.process_time()
    _grow()
    grown = time.process_time() - started
    print(f"one more token       {grown * 1000 / (len(TEXT) / TOKEN):6.2f} ms, mean while 4 KB grow")
