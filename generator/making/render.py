"""Cells -> images: claim like cells, make them as one batch, save each, go on until the set is done."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Model, QuerySet

from generator.files import images, networks, store
from generator.making import engine, inputs, provenance
from generator.models import Cell, ImageSet
from generator.plans import sizes
from generator.sets import claims
from generator.sets.claims import Run

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from generator.nst import Progress, Recipe, Result

# Waiting cells looked at for a batch of like ones.
_LOOK_AHEAD = 4 * engine.MAX_BATCH
# Seconds between looks at what others do: whether a run has finished what it is making, whether work is still wanted.
_POLL = 1.0


@dataclass(frozen=True)
class Step:
    """How far a run is, told after each evaluation and each finished cell.

    cells: labels of those that run now; evaluation: of `evaluations` in this batch; advanced: evaluations since the
    last step, summed over cells; loss: asks the device, so call it seldom.
    """

    cells: tuple[str, ...]
    evaluation: int
    evaluations: int
    advanced: int
    done: int
    failed: int
    total: int
    loss: Callable[[], float]


Listener = Callable[[Step], None]


class TakenBack(Exception):
    """Somebody took back what was being made; its cells wait again."""


def while_wanted(wanted: QuerySet[Model]) -> Listener:
    """Return a listener that raises TakenBack once `wanted` finds no row; it asks once a second at the most."""
    looked = time.monotonic()

    def look(step: Step) -> None:
        nonlocal looked
        if time.monotonic() - looked < _POLL:
            return
        looked = time.monotonic()
        if not wanted.exists():
            raise TakenBack

    return look


@dataclass(frozen=True)
class Summary:
    """What a set holds when a run ends."""

    done: int
    failed: int
    waiting: int
    made: int


def render(
    image_set: ImageSet,
    *,
    device: str = "auto",
    exact: bool = False,
    retry_failed: bool = False,
    progress: Listener | None = None,
) -> Summary:
    """Make every cell of a set that is not made yet, by this run or by others beside it; return when none is left.

    exact: one cell at a time by deterministic algorithms, so that this machine repeats each image bit by bit.
    Interrupted (KeyboardInterrupt, or whatever `progress` raises), it frees what it was making and passes the
    interruption on; what was finished is kept. Raises engine.DeviceError, nst.WeightsError, OSError (media store).
    """
    chosen = engine.choose_device(device)
    claims.free_abandoned()
    if retry_failed:
        claims.retry_failed(image_set)
    with Run() as run:
        worker = _Worker(image_set, run, chosen, exact, progress)
        worker.work()
    _describe(image_set, chosen)
    counts = _counts(image_set)
    return Summary(
        done=counts.get(Cell.Status.DONE, 0),
        failed=counts.get(Cell.Status.FAILED, 0),
        waiting=counts.get(Cell.Status.WAITING, 0) + counts.get(Cell.Status.RUNNING, 0),
        made=worker.made,
    )


def make_beside(image_set: ImageSet, *, device: str, exact: bool) -> None:
    """Make cells of a set until none waits, beside the run that began it. Errors as in `render`."""
    with Run() as run:
        _Worker(image_set, run, engine.choose_device(device), exact, None).work()


def render_batch(image_set: ImageSet, *, device: str = "auto", progress: Listener | None = None) -> int:
    """Make one batch of like cells of a set; return how many cells that made, 0 where none waited.

    One worker's share among many; interruptions and errors as in `render`.
    """
    chosen = engine.choose_device(device)
    claims.free_abandoned()
    with Run() as run:
        worker = _Worker(image_set, run, chosen, False, progress)
        worker.step()
    if not image_set.cells.filter(status__in=[Cell.Status.WAITING, Cell.Status.RUNNING]).exists():
        _describe(image_set, chosen)
    return worker.made


def _describe(image_set: ImageSet, device: torch.device) -> None:
    # Imports scipy and scikit-image, which a dry run does without.
    from generator.making.describe import describe

    describe(image_set, device)


def _counts(image_set: ImageSet) -> dict[str, int]:
    return dict(image_set.cells.values_list("status").annotate(Count("pk")).order_by())


class _Worker:
    """One run's loop over a set."""

    def __init__(
        self, image_set: ImageSet, run: Run, device: torch.device, exact: bool, progress: Listener | None
    ) -> None:
        self.image_set, self.run, self.device, self.exact, self.progress = (
            image_set,
            run,
            device,
            exact,
            progress,
        )
        engine.keep_freed_memory()
        engine.keep_verdicts(device)
        self.made = 0

    def work(self) -> None:
        """Make batches until nothing waits; then wait for the cells that other runs are making."""
        while True:
            if self.step():
                continue
            if not self._others_work():
                return
            time.sleep(_POLL)
            claims.free_abandoned()

    def step(self) -> bool:
        """Make one batch; False when no cell waits for one."""
        claims.adopt(self.image_set)
        batch = self._claim_batch()
        if batch:
            self._make(batch)
        return bool(batch)

    def _claim_batch(self) -> list[Cell]:
        """Claim as many waiting cells as run well together; none when there are none, or others were faster."""
        waiting = self.image_set.cells.filter(status=Cell.Status.WAITING).select_related(
            "content", "style", "image_set"
        )
        claimed: list[Cell] = []
        room, kind = 1, None
        for cell in waiting.iterator(chunk_size=200):
            if kind is not None and self._kind(cell) != kind:
                continue
            if self.run.claim(cell):
                claimed.append(cell)
                if kind is None:
                    kind, room = self._kind(cell), self._room(cell)
            if len(claimed) >= room:
                break
        return claimed

    def _kind(self, cell: Cell) -> tuple[object, ...]:
        from generator.nst import batch_key

        return batch_key(_recipe(cell), cell.content.height, cell.content.width)

    def _room(self, cell: Cell) -> int:
        return 1 if self.exact else engine.batch_size(self.device, self._bytes(cell))

    def _bytes(self, cell: Cell) -> float:
        recipe, content = _recipe(cell), (cell.content.width, cell.content.height)
        width, height = sizes.levels(recipe, content)[-1]
        budget = sizes.budgets(recipe, content)[-1]
        return engine.bytes_of_cell(self.device, recipe, width * height, budget)

    def _others_work(self) -> bool:
        """Return whether another run makes cells of this set, or the same images for another set."""
        keys = self.image_set.cells.exclude(status=Cell.Status.DONE).values("key")
        return Cell.objects.filter(key__in=keys, status=Cell.Status.RUNNING).exists()

    def _make(self, cells: list[Cell]) -> None:
        """Make a batch; where it does not fit or cannot be made, its halves, down to the cell that is to blame."""
        made = self._attempt(cells)
        if not isinstance(made, str):
            for cell, result in zip(cells, made, strict=True):
                self._save(cell, result)
                self._tell([cell], None, 0)
        elif len(cells) == 1:
            self.run.fail(cells[0], made)
            self._tell(cells, None, 0)
        else:
            half = len(cells) // 2
            self._make(cells[:half])
            self._make(cells[half:])

    def _attempt(self, cells: list[Cell]) -> list[Result] | str:
        """Return the results of a batch, or why it cannot be made; nothing of a failed attempt stays in memory."""
        from generator.nst.gpu import memory

        try:
            return self._transfer(cells)
        except Exception as error:
            reason = _reason(error)
            if reason is None:
                raise
        # Not within `except`: there the error's frames hold the failed attempt's tensors.
        memory.release()
        return reason

    def _transfer(self, cells: list[Cell]) -> list[Result]:
        from generator import nst
        from generator.nst.gpu import memory

        inputs.fetch_styles(cells)
        pictures: dict[str, Tensor] = {}
        jobs = [inputs.job(cell, _recipe(cell), pictures) for cell in cells]
        if self.device.type == "cuda":
            # At once, so that a run beside this one on the same GPU plans with what is left.
            memory.reserve(self.device, int(len(cells) * self._bytes(cells[0])))
        loaded = {job.recipe.network: networks.network_of(job.recipe) for job in jobs}
        return nst.transfer_batch(
            jobs,
            weights=loaded,
            device=self.device,
            exact=self.exact,
            callback=lambda at: self._tell([cells[place] for place in at.cells], at, len(at.cells)),
        )

    def _save(self, cell: Cell, result: Result) -> None:
        if result.failure:
            self.run.fail(cell, result.failure)
            return
        picture = images.to_image(result.image)
        account = provenance.of_cell(cell, _recipe(cell), result, picture, self.device, exact=self.exact)
        name, digest = store.put("cells", images.encode_png(picture, account), ".png")
        self.made += self.run.finish(
            cell,
            image=name,
            sha256=digest,
            width=picture.width,
            height=picture.height,
            provenance=account,
            covariates={},
        )

    def _tell(self, cells: list[Cell], at: Progress | None, advanced: int) -> None:
        if self.progress is None:
            return
        counts = self._seen_counts(fresh=at is None)
        self.progress(
            Step(
                cells=tuple(cell.label for cell in cells),
                evaluation=at.evaluation if at else 0,
                evaluations=at.evaluations if at else 0,
                advanced=advanced,
                done=counts.get(Cell.Status.DONE, 0),
                failed=counts.get(Cell.Status.FAILED, 0),
                total=sum(counts.values()),
                loss=lambda: max(at.losses()) if at else float("nan"),
            )
        )

    def _seen_counts(self, *, fresh: bool) -> dict[str, int]:
        """Return the set's counts, asked of the database once a cell and not once an evaluation."""
        if fresh or not hasattr(self, "_last_counts"):
            self._last_counts = _counts(self.image_set)
        return self._last_counts


def _recipe(cell: Cell) -> Recipe:
    from generator.nst import Recipe

    return Recipe.from_dict(cell.recipe)


def _reason(error: Exception) -> str | None:
    """Return why these cells cannot be made, or None where the trouble is not theirs."""
    from generator.nst import NstError
    from generator.nst.gpu.memory import is_out_of_memory

    if isinstance(error, NstError):
        return str(error)
    if is_out_of_memory(error):
        return "out of memory; make the image smaller"
    return None
