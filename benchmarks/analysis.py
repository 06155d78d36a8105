"""Speed of the analysis, beside Netflix's sureal on the same ratings: `python -m benchmarks.analysis`.

20,000 ratings (1000 items, 200 participants, 90 % of the pairs missing) analysed whole; the P.910 model alone, against
sureal's; the MOS table of a million ratings with its peak memory. Prints Markdown and writes
benchmarks/results/analysis.md.
"""

from __future__ import annotations

import contextlib
import io
import os
import platform
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from survey.analysis import analyse, check
from survey.analysis.items.mos import mos_table
from survey.analysis.participants.recovery import recover
from survey.analysis.planning.simulation import Population, simulate
from survey.analysis.table import code

RESULT = Path(__file__).parent / "results" / "analysis.md"
ROUNDS = 5


def main() -> None:
    rows = [*_million(), *_twenty_thousand()]
    lines = [f"| {what} | {value} |" for what, value in rows]
    text = "\n".join([_machine(), "", "| what | measured |", "| --- | --- |", *lines]) + "\n"
    print(text)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text)


def _machine() -> str:
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} CPU cores ({platform.machine()}, load {load:.1f} from elsewhere included), Python "
        f"{platform.python_version()}, NumPy {np.__version__}, pandas {pd.__version__}; best of {ROUNDS}."
    )


def _best(run: Callable[[], Any]) -> tuple[float, Any]:
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def _million() -> list[tuple[str, str]]:
    rng = np.random.default_rng(0)
    n = 1_000_000
    frame = pd.DataFrame(
        {
            "participant": pd.Categorical.from_codes(
                rng.integers(0, 10_000, n), pd.Index([f"p{i}" for i in range(10_000)])
            ),
            "item": pd.Categorical.from_codes(
                rng.integers(0, 1000, n), pd.Index([f"item{i}" for i in range(1000)])
            ),
            "rating": rng.integers(1, 6, n).astype(np.int8),
        }
    )
    seconds, _ = _best(lambda: mos_table(code(check(frame).table)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        ("a million ratings: check and MOS table", f"{seconds:.2f} s"),
        ("peak memory of the process by then", f"{peak:.0f} MB"),
    ]


def _twenty_thousand() -> list[tuple[str, str]]:
    simulated = simulate(np.linspace(1, 5, 1000), 200, Population(random_share=0.05), per_participant=100)
    table = check(simulated.table)
    ratings = code(table.table)
    whole, _ = _best(lambda: analyse(table))
    ours, model = _best(lambda: recover(ratings, "strict"))
    theirs, reference = _sureal(simulated.table)
    difference = np.abs(model.items["quality"].to_numpy() - reference["quality_scores"]).max()
    return [
        (f"{len(ratings.rating):,} ratings: the whole analysis", f"{whole:.2f} s"),
        ("P.910 model", f"{1000 * ours:.0f} ms"),
        ("P.910 model, sureal 0.9.0", f"{1000 * theirs:.0f} ms"),
        ("times faster", f"{theirs / ours:.0f}"),
        ("largest difference of a quality", f"{difference:.1e}"),
    ]


def _sureal(table: pd.DataFrame) -> tuple[float, Any]:
    from sureal.dataset_reader import RawDatasetReader
    from sureal.subjective_model import SubjectiveModel

    class Dataset:
        dataset_name, yuv_fmt, width, height, quality_width, quality_height = "study", "notyuv", 1, 1, 1, 1
        ref_videos = [{"content_id": 0, "path": ""}]
        dis_videos = [
            {
                "content_id": 0,
                "asset_id": i,
                "path": "",
                "os": dict(zip(group["participant"], group["rating"], strict=True)),
            }
            for i, (_, group) in enumerate(table.groupby("item"))
        ]

    model = SubjectiveModel.find_subclass("Subject_MLE_Projection2")(RawDatasetReader(Dataset))
    with contextlib.redirect_stdout(io.StringIO()):
        return _best(model.run_modeling)


if __name__ == "__main__":
    main()
