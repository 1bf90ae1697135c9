"""Several hosts as one: which place answers."""

from core.model import Model, ModelState
from core.pool import best_first, pooled


def at(host: str, state: ModelState = ModelState.ON_DISK, key: str = "acme/nova", parallel: int = 4) -> Model:
    return Model("lmstudio", host, key, key, state, parallel=parallel)


def hosts(models: list[Model]) -> list[str]:
    return [m.host for m in models]


def test_where_it_is_loaded_comes_first_and_a_dead_host_last() -> None:
    """Loaded, then loading, then on disk, then what is down."""
    places = [
        at("down", ModelState.INACTIVE),
        at("disk"),
        at("loading", ModelState.LOADING),
        at("up", ModelState.LOADED),
    ]
    assert hosts(best_first(places)) == ["up", "loading", "disk", "down"]


def test_the_least_busy_of_the_loaded_answers() -> None:
    """What counts is the share of an instance's slots that is taken."""
    places = [at("a", ModelState.LOADED, parallel=2), at("b", ModelState.LOADED, parallel=8)]
    busy = {"a": 1, "b": 2}
    assert hosts(best_first(places, busy=lambda m: busy[m.host])) == ["b", "a"]


def test_asleep_everywhere_it_goes_where_it_fits_then_where_it_loads_fastest() -> None:
    """Room first, measured speed second, unmeasured last."""
    slow, quick, full, unknown = (at(h) for h in ("slow", "quick", "full", "unknown"))
    order = best_first(
        [unknown, full, slow, quick],
        fits={full.id: False, slow.id: True, quick.id: True},
        seconds={slow.id: 60, quick.id: 9, full.id: 1},
    )
    assert hosts(order) == ["quick", "slow", "unknown", "full"]


def test_the_same_key_on_two_hosts_is_one_row() -> None:
    """People see one model with two places, in the order of the list."""
    rows = pooled([at("a"), at("a", key="acme/mini"), at("b", ModelState.LOADED)])
    assert [(row.best.key, hosts(list(row.places))) for row in rows] == [
        ("acme/nova", ["b", "a"]),
        ("acme/mini", ["a"]),
    ]


def test_a_tag_names_the_model_on_every_host() -> None:
    """A button pressed after a fail-over still means the same model."""
    assert at("a").tag == at("b").tag
    assert at("a").id != at("b").id
