"""Wires the engine: catalogue, instances, server; and opens the right runner for each model."""

from collections.abc import Sequence

from core.embedded import runtime
from core.embedded.instances import Instances, OnProgress
from core.embedded.llama import Llama
from core.embedded.models import Catalogue, Entry, shards
from core.embedded.runner import LoadError, Log, Runner
from core.embedded.scripted import Scripted, load_steps
from core.embedded.server import Server, new_token
from core.model import FailureKind


class Engine:
    """Everything behind `EmbeddedEngine` once it runs. `program` replaces the child in tests."""

    def __init__(self, catalogue: Catalogue, log: Log, program: Sequence[str] = runtime.PROGRAM) -> None:
        self._catalogue = catalogue
        self._program = program
        self._token = new_token()
        self.instances = Instances(catalogue, self._open, log)
        self._server = Server(self.instances, self._token, log)

    async def start(self) -> tuple[str, str]:
        """Return the address and the token."""
        return await self._server.start(), self._token

    async def aclose(self) -> None:
        """End the children first: their answers end, so the server has nothing to wait for."""
        await self.instances.aclose()
        await self._server.aclose()

    async def _open(self, entry: Entry, context: int, on_progress: OnProgress) -> Runner:
        if entry.scripted:
            async for step in load_steps():
                on_progress(step)
            return Scripted()
        assert entry.path is not None
        order = runtime.Order(tuple(shards(entry.path)), context, entry.parallel(context), entry.sha256)
        try:
            process = await runtime.start(order, on_progress, self._program)
        except LoadError as error:
            if entry.demo and error.kind is FailureKind.NOT_INSTALLED:
                entry.path.unlink(missing_ok=True)  # damaged: the next fetch brings it anew
            raise
        return await Llama.open(process)
