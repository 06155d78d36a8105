"""Tasks of the task queue. Only Procrastinate imports them, if GENERATOR_EXECUTOR chooses it.

`images` is the queue of the GPUs: one worker for each GPU, one job at a time. `maintenance` is the queue of the
sweep, which would otherwise wait behind long jobs.
"""

from __future__ import annotations

from asgiref.sync import sync_to_async
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from generator.queue import distributed


@app.task(
    name=distributed.MAKE_BATCH,
    queue=distributed.IMAGES,
    retry=RetryStrategy(max_attempts=3, exponential_wait=5),
)
def make_batch(image_set: int) -> int:
    """Make one batch of an image set."""
    return distributed.make_batch(image_set)


@app.periodic(cron="* * * * *")
@app.task(name="generator.sweep", queue="maintenance", queueing_lock="sweep")
async def sweep(timestamp: int) -> None:
    """Once a minute, restart the jobs of dead workers and wake workers for waiting cells."""
    for job in await app.job_manager.get_stalled_jobs():
        await app.job_manager.retry_job(job)
    await sync_to_async(distributed.sweep)()
