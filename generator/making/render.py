"""Cells -> images: claim similar cells, make them as one batch, save each, and repeat until the set is done."""

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

# Number of waiting cells searched for a batch of similar ones.
_LOOK_AHEAD = 4 * engine.MAX_BATCH
# Seconds between checks of other runs and of whether the work is still wanted.
_POLL = 1.0


@dataclass(frozen=True)
class Step:
    """The progress of a run, reported after each evaluation and each finished cell.

    Attributes:
        cells: Labels of the cells in progress.
        evaluation: Current one of `evaluations` in this batch.
        advanced: Evaluations since the last step, summed over cells.
        loss: Reads from the device, so call it seldom.
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
    """Somebody stopped the work; its cells wait again."""


def while_wanted(wanted: QuerySet[Model]) -> Listener:
    """Return a listener that raises TakenBack once `wanted` finds no row. It asks at most once a second."""
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
    """The state of a set at the end of a run.

    Attributes:
        done: Finished cells.
        failed: Failed cells.
        waiting: Cells that wait or are at work elsewhere.
        made: Cells that this run made.
        troubles: Why processes of this run ended before their work did.
    """

    done: int
    failed: int
    waiting: int
    made: int
    troubles: tuple[str, ...] = ()


def render(
    image_set: ImageSet,
    *,
    device: str = "auto",
    exact: bool = False,
    retry_failed: bool = False,
    progress: Listener | None = None,
) -> Summary:
    """Make all unfinished cells of a set, together with other runs; return when none is left.

    If interrupted (KeyboardInterrupt, or an error from `progress`), the run frees its cells and raises the
    interruption again. Finished cells are kept.

    Args:
        image_set: The set.
        device: As in `engine.choose_device`.
        exact: Make one cell at a time by deterministic algorithms, so that this machine can repeat each image
            bit by bit.
        retry_failed: Try failed cells again.
        progress: Called after each evaluation and each finished cell.

    Raises:
        engine.DeviceError: If this machine lacks the device.
        nst.WeightsError: If a network is missing.
        OSError: If the media store cannot be written.
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


def make_beside(image_set: ImageSet, *, device: str, exact: bool) -> int:
    """Make cells of a set until none waits, in addition to the run that started it; return how many.

    Raises:
        Exception: As in `render`.
    """
    with Run() as run:
        worker = _Worker(image_set, run, engine.choose_device(device), exact, None)
        worker.work()
    return worker.made


def render_batch(image_set: ImageSet, *, device: str = "auto", progress: Listener | None = None) -> int:
    """Make one batch of similar cells of a set; return how many were made, 0 if none waited.

    Workers on several hosts call this. Interruptions and errors are as in `render`.
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
    # Imports scipy and scikit-image, which a dry run does not need.
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
        """Make batches until no cell waits; then wait for the cells of other runs."""
        while True:
            if self.step():
                continue
            if not self._others_work():
                return
            time.sleep(_POLL)
            claims.free_abandoned()

    def step(self) -> bool:
        """Make one batch; return False if no cell waits."""
        claims.adopt(self.image_set)
        batch = self._claim_batch()
        if batch:
            self._make(batch)
        return bool(batch)

    def _claim_batch(self) -> list[Cell]:
        """Claim as many waiting cells as fit in one batch; none if none wait or other runs were faster."""
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
        """Return whether another run makes cells of this set, or their images for another set."""
        keys = self.image_set.cells.exclude(status=Cell.Status.DONE).values("key")
        return Cell.objects.filter(key__in=keys, status=Cell.Status.RUNNING).exists()

    def _make(self, cells: list[Cell]) -> None:
        """Make a batch. If it fails, make its halves, down to the single cell that fails."""
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
        """Return the results of a batch, or why it failed. A failed attempt leaves nothing in memory."""
        from generator.nst.gpu import memory

        try:
            return self._transfer(cells)
        except Exception as error:
            reason = _reason(error)
            if reason is None:
                raise
        # Not within `except`: there the error's frames keep the failed attempt's tensors.
        memory.release()
        return reason

    def _transfer(self, cells: list[Cell]) -> list[Result]:
        from generator import nst
        from generator.nst.gpu import memory

        inputs.fetch_styles(cells)
        pictures: dict[str, Tensor] = {}
        jobs = [inputs.job(cell, _recipe(cell), pictures) for cell in cells]
        if self.device.type == "cuda":
            # Immediately, so that another run on the same GPU plans with the remaining memory.
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
        """Return the set's counts; queried once a cell, not once an evaluation."""
        if fresh or not hasattr(self, "_last_counts"):
            self._last_counts = _counts(self.image_set)
        return self._last_counts


def _recipe(cell: Cell) -> Recipe:
    from generator.nst import Recipe

    return Recipe.from_dict(cell.recipe)


def _reason(error: Exception) -> str | None:
    """Return why these cells cannot be made, or None if they are not the cause."""
    from generator.nst import NstError
    from generator.nst.gpu.memory import is_out_of_memory

    if isinstance(error, NstError):
        return str(error)
    if is_out_of_memory(error):
        return "out of memory; make the image smaller"
    return None
