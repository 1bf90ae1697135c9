"""/metrics: what Prometheus reads. The only home of its client library.

Counters are counted where a thing happens once (an answer, a load, a card that landed), never for a piece of an
answer; what is a state (queues, hosts, models) is looked up when somebody reads.
"""

from collections import Counter as Tally
from collections.abc import Iterator
from typing import assert_never

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.standing import Standing
from core.engine import Engine
from core.figures import AnswerFigure, Figure, LoadFigure

PREFIX = "orquestrador"
_LOAD = (0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800)
_FIRST = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_ANSWER = (0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600)
_SPEED = (1, 2, 5, 10, 20, 40, 80, 160, 320)
_LANDING = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300)


class Metrics:
    """Implements `bot.watch.Counts`. Seconds throughout."""

    def __init__(self, engine: Engine, standing: Standing) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(PREFIX, registry=self.registry)
        self.registry.register(_States(engine, standing))
        self._loads = self._counter("loads", "Loads of models", "host", "model", "outcome")
        self._load_seconds = self._histogram("load_seconds", "Time that loads took", _LOAD, "host", "model")
        self._answers = self._counter(
            "answers", "Answers, however they ended", "provider", "model", "outcome"
        )
        model = ("provider", "model")
        self._first = self._histogram("first_token_seconds", "Request to first word", _FIRST, *model)
        self._seconds = self._histogram("answer_seconds", "Request to last word", _ANSWER, *model)
        self._speed = self._histogram("answer_tokens_per_second", "How fast models write", _SPEED, *model)
        self._tokens = self._counter("tokens", "Tokens read and written", *model, "direction")
        self._landing = self._histogram(
            "delivery_wait_seconds", "From a finished card until it stands", _LANDING, "platform"
        )
        self._pauses = self._counter("rate_limit_hits", "Pauses that platforms asked for", "platform")
        self._problems = self._counter("problems", "Problems that people were told of", "problem")

    def page(self) -> tuple[bytes, str]:
        """The whole page, and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_PLAIN_0_0_4

    # ------------------------------------------------------------ what happens

    def heard(self, figure: Figure) -> None:
        """See `core.figures.Listener`."""
        match figure:
            case LoadFigure(model, seconds, outcome):
                self._loads.labels(model.host, model.key, outcome).inc()
                if outcome == "ok":
                    self._load_seconds.labels(model.host, model.key).observe(seconds)
            case AnswerFigure():
                self._answered(figure)
            case _:
                assert_never(figure)

    def _answered(self, figure: AnswerFigure) -> None:
        labels = (figure.model.provider, figure.model.key)
        self._answers.labels(*labels, figure.outcome).inc()
        if figure.first is not None:
            self._first.labels(*labels).observe(figure.first)
        if figure.outcome != "done":
            return
        self._seconds.labels(*labels).observe(figure.seconds)
        said, writing = figure.usage.tokens_out, figure.seconds - (figure.first or 0.0)
        self._tokens.labels(*labels, "in").inc(figure.usage.tokens_in or 0)
        self._tokens.labels(*labels, "out").inc(said or 0)
        if said and writing > 0:
            self._speed.labels(*labels).observe(said / writing)

    def problem(self, kind: str) -> None:
        """See `Counts.problem`."""
        self._problems.labels(kind).inc()

    def paused(self, platform: str) -> None:
        """See `Counts.paused`."""
        self._pauses.labels(platform).inc()

    def landed(self, platform: str, seconds: float) -> None:
        """See `Counts.landed`."""
        self._landing.labels(platform).observe(seconds)

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(name, words, labels, namespace=PREFIX, registry=self.registry)

    def _histogram(self, name: str, words: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, words, labels, namespace=PREFIX, registry=self.registry, buckets=buckets)


class _States(Collector):
    """How things stand at the moment of reading."""

    def __init__(self, engine: Engine, standing: Standing) -> None:
        self._engine = engine
        self._standing = standing

    def collect(self) -> Iterator[Metric]:
        platforms = _gauge("platform_up", "Whether the platform works", "platform")
        for name, trouble in self._standing.troubles().items():
            platforms.add_metric([name], not trouble)
        hosts = _gauge("host_up", "Whether the host answered last time", "provider", "host")
        for host in self._engine.catalog.health():
            hosts.add_metric([host.provider, host.host], host.reachable and host.detail != "401")
        models = _gauge("models", "Models by state", "provider", "host", "state")
        known = [model for model in self._engine.catalog.models() if not model.by_name_only]
        for (provider, place, state), n in Tally((m.provider, m.host, m.state.value) for m in known).items():
            models.add_metric([provider, place, state], n)
        answering = _gauge("queue_answering", "Requests that an instance works on", "instance")
        waiting = _gauge("queue_waiting", "Requests that wait for an instance", "instance")
        for instance, (running, queued) in self._engine.admission.lengths().items():
            answering.add_metric([instance], running)
            waiting.add_metric([instance], queued)
        yield from (platforms, hosts, models, answering, waiting)


def _gauge(name: str, words: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", words, labels=labels)
