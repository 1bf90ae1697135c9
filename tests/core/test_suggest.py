"""Which model to pick, and which to offer after a failure."""

from core import suggest
from core.model import Model, ModelState
from tests.fakes.provider import a_model, external

GB = 1024**3
LOADED, ON_DISK, INACTIVE = ModelState.LOADED, ModelState.ON_DISK, ModelState.INACTIVE


def keys(models: tuple[Model, ...]) -> list[str]:
    return [m.key for m in models]


def test_entering_ranks() -> None:
    """External APIs first, then what is loaded, then the rest; what failed never."""
    api, loaded, disk = external(), a_model("l", LOADED), a_model("d")
    failed = a_model("f", INACTIVE)
    assert suggest.entering([failed, disk, loaded, api]) == api
    assert suggest.entering([failed, disk, loaded]) == loaded
    assert suggest.entering([failed, disk]) == disk
    assert suggest.entering([failed]) is None
    assert suggest.entering([]) is None


def test_entering_prefers_local() -> None:
    """An operator may put local models first; an API is then the last resort, not out."""
    api, disk = external(), a_model("d")
    assert suggest.entering([api, disk], prefer_local=True) == disk
    assert suggest.entering([api], prefer_local=True) == api


def test_entering_size() -> None:
    """Nobody waits for 40 GB unasked: the smallest of a comfortable size, then the largest small one."""
    models = [a_model(f"{n}", size_bytes=n * GB) for n in (40, 5, 1)]
    assert suggest.entering(models) == models[1]
    small = [a_model("s1", size_bytes=GB // 2), a_model("s2", size_bytes=GB)]
    assert suggest.entering(small) == small[1]


def test_entering_skips_what_is_hidden_or_a_demonstration() -> None:
    """A demonstration comes after every real model of its rank, a hidden one never."""
    demo, hidden, real = a_model("a", demo=True), a_model("b", by_name_only=True), a_model("z")
    assert suggest.entering([demo, hidden, real]) == real
    assert suggest.entering([demo, hidden]) == demo
    assert suggest.entering([hidden]) is None


def test_after_failure_ranks() -> None:
    """The same ranks as on entering, never the failed one, three at most."""
    failed = a_model("f", INACTIVE)
    models = [a_model("d1"), a_model("l", LOADED), external(), failed, a_model("d2")]
    offered = suggest.after_failure(models, failed)
    assert keys(offered.models) == ["gpt-mini", "l", "d1"]
    assert offered.best == external()
    assert offered.failed == failed


def test_after_failure_never_offers_the_failed_one_though_usable() -> None:
    """A model that is loaded again elsewhere is still not the answer to its own failure."""
    again = a_model("f", LOADED)
    assert suggest.after_failure([again], a_model("f", INACTIVE)).best is None


def test_after_failure_inside_a_rank() -> None:
    """Family, then closeness of size, then measured speed, then name."""
    failed = a_model("f", INACTIVE, family="nova", size_bytes=8 * GB)
    kin = a_model("kin", family="nova", size_bytes=70 * GB)
    close = a_model("close", family="x", size_bytes=7 * GB)
    far = a_model("far", family="x", size_bytes=30 * GB)
    assert keys(suggest.after_failure([far, close, kin], failed).models) == ["kin", "close", "far"]
    slow, fast = a_model("a-slow", size_bytes=7 * GB), a_model("b-fast", size_bytes=7 * GB)
    seconds = {slow.id: 30.0, fast.id: 3.0}
    assert keys(suggest.after_failure([slow, fast], failed, seconds=seconds).models) == ["b-fast", "a-slow"]
    assert keys(suggest.after_failure([fast, slow], failed).models) == ["a-slow", "b-fast"]


def test_after_failure_unknown_sizes_and_families() -> None:
    """Unknown is no match: two models without a family are no kin, one without a size is far."""
    failed = a_model("f", INACTIVE, size_bytes=8 * GB)
    models = [a_model("a-unknown"), a_model("z-known", size_bytes=9 * GB)]
    assert keys(suggest.after_failure(models, failed).models) == ["z-known", "a-unknown"]


def test_offer_without_a_failure() -> None:
    """Without a failed model the order is that of entering, and a demonstration is last."""
    models = [
        a_model("demo", demo=True),
        a_model("big", size_bytes=9 * GB),
        a_model("fit", size_bytes=3 * GB),
    ]
    offered = suggest.after_failure(models, None)
    assert keys(offered.models) == ["fit", "big", "demo"]
    assert suggest.after_failure([], None).best is None


def test_prefer_local_after_failure() -> None:
    """The operator's word counts after a failure too."""
    offered = suggest.after_failure([external(), a_model("d")], None, prefer_local=True)
    assert keys(offered.models) == ["d", "gpt-mini"]
