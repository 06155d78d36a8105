"""How often each interval contains the true value: `python -m benchmarks.coverage [--studies 200] [--only PART]`.

Simulated studies of known truth, with bias, inconsistency, careless participants and drop-outs. Prints Markdown
tables and writes them to benchmarks/results/coverage.md. The seed is fixed: the same numbers every time.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import looks
from benchmarks.camps import camps
from survey.analysis.effects import factor_effects
from survey.analysis.items.conditions import condition_means
from survey.analysis.items.intervals import INTERVALS, interval
from survey.analysis.items.sos import pooled_a
from survey.analysis.items.tally import tally
from survey.analysis.participants.recovery import recover
from survey.analysis.planning.simulation import Population, Simulated, simulate, true_mos
from survey.analysis.scale import ACR
from survey.analysis.table import check, code

RESULT = Path(__file__).parent / "results" / "coverage.md"
CLOSED = ("t", "normal", "bounded")
ITEMS, CONDITIONS = 40, 4
TASTE = 0.5
POPULATIONS = {
    "laboratory video": Population(bias_sd=0.3, inconsistency=0.55),
    "generated images": Population(bias_sd=0.6, inconsistency=0.9),
    "generated images, 10 % careless": Population(
        bias_sd=0.6, inconsistency=0.9, random_share=0.07, constant_share=0.03
    ),
    "generated images, drop-outs": Population(bias_sd=0.6, inconsistency=0.9, drop_out=0.04),
}
WITHOUT_EFFECT = (
    (0.0, 0.0, 15, 10),
    (0.3, 0.0, 5, 10),
    (0.3, 0.0, 15, 10),
    (0.3, 0.0, 45, 10),
    (0.0, 0.3, 5, 4),
    (0.0, 0.3, 15, 4),
    (0.0, 0.3, 45, 10),
    (0.3, 0.3, 5, 10),
    (0.3, 0.3, 15, 4),
    (0.3, 0.3, 45, 4),
)
"""SD of people × factor and of content × factor, people, contents."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200, help="simulated studies of each kind")
    parser.add_argument("--only", choices=PARTS, help="make only this part again, and keep the others")
    options = parser.parse_args()
    names = [options.only] if options.only else list(PARTS)
    texts = [text for name in names for text in PARTS[name](options.studies)]
    print("\n\n".join(texts))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(merged(RESULT.read_text() if RESULT.exists() else "", texts))


def merged(before: str, texts: Sequence[str]) -> str:
    """Return the result file with the sections in `texts` new; a section is known by its heading."""
    sections = {part.partition("\n")[0]: part for part in re.split(r"\n+(?=### )", before.strip()) if part}
    sections |= {text.partition("\n")[0]: text for text in texts}
    return "\n\n".join(sections.values()) + "\n"


def _studies(
    population: Population, participants: int, studies: int, qualities: np.ndarray | None = None
) -> list[Simulated]:
    quality = np.linspace(1.2, 4.8, ITEMS) if qualities is None else qualities
    return [simulate(quality, participants, population, seed=seed) for seed in range(studies)]


def _held(simulated: Simulated, methods: tuple[str, ...]) -> list[dict[str, object]]:
    """One row a method: share of items whose interval holds the true MOS, mean width, share leaving the scale."""
    ratings = code(check(simulated.table).table)
    truth = simulated.items.set_index("item")["mos"].reindex(list(ratings.items)).to_numpy()
    items = tally(ratings)
    rows: list[dict[str, object]] = []
    for method in methods:
        low, high = interval(method, items, a=pooled_a(items))  # type: ignore[arg-type]
        # An undefined interval contains nothing and has no width.
        rows.append(
            {
                "interval": method,
                "held": np.mean((low <= truth) & (truth <= high)),
                "width": np.nanmean(high - low),
                "outside": np.mean((low < ACR.low - 1e-9) | (high > ACR.high + 1e-9)),
            }
        )
    return rows


def _items(studies: int) -> str:
    rows = []
    for name, population in POPULATIONS.items():
        for participants in (5, 10, 24):
            # Bootstraps draw thousands of samples for each item, so fewer studies are used for them.
            for i, simulated in enumerate(_studies(population, participants, studies)):
                for row in _held(simulated, tuple(INTERVALS) if i < max(studies // 20, 1) else CLOSED):
                    rows.append({"population": name, "n": participants, **row})
    return (
        "### Items\n\nOf five participants none is careless. Where an interval is not defined it holds nothing; the "
        "bootstraps and Dirichlet's are from a twentieth of the studies.\n\n"
        + _table(pd.DataFrame(rows), ["population", "n"])
    )


def _repeats(studies: int) -> str:
    """Every participant rates every item several times, with constant bias and inconsistency."""
    rows = []
    population = POPULATIONS["generated images"]
    for participants in (5, 10, 20):
        for times in (1, 2, 4):
            for seed in range(studies):
                simulated = _again(population, participants, times, seed)
                rows += [
                    {"n": participants, "ratings each": times, **row} for row in _held(simulated, CLOSED)
                ]
    return (
        "### Items that participants rate several times (generated images)\n\nA participant's own taste for an item, "
        f"SD {TASTE}, is the same at each rating.\n\n" + _table(pd.DataFrame(rows), ["n", "ratings each"])
    )


def _again(population: Population, participants: int, times: int, seed: int) -> Simulated:
    """Ratings by bias, taste for the item, and noise; the truth is the mean rating of people without end."""
    rng = np.random.default_rng(seed)
    quality = np.linspace(1.6, 4.4, ITEMS)
    bias = rng.normal(0, population.bias_sd, participants)
    taste = rng.normal(0, TASTE, (participants, ITEMS))
    shape = 1 / population.inconsistency_cv**2
    noise = rng.gamma(shape, population.inconsistency / shape, participants)
    latent = quality + bias[:, None] + taste
    latent = latent + noise[:, None] * rng.standard_normal((times, participants, ITEMS))
    rating = np.clip(np.rint(latent), ACR.low, ACR.high).astype(np.int64)
    index = pd.MultiIndex.from_product([range(times), range(participants), range(ITEMS)])
    names = [f"item{i + 1}" for i in range(ITEMS)]
    table = pd.DataFrame(
        {
            "participant": [f"p{i + 1}" for i in index.get_level_values(1)],
            "item": np.array(names, dtype=object)[index.get_level_values(2)],
            "rating": rating.ravel(),
        }
    )
    wider = replace(population, bias_sd=float(np.hypot(population.bias_sd, TASTE)))
    truth = pd.DataFrame({"item": names, "quality": quality, "mos": true_mos(quality, wider)})
    return Simulated(table, truth, pd.DataFrame())


def _ceiling(studies: int) -> str:
    """Items near the ends of the scale, where intervals go wrong first."""
    rows = []
    population = POPULATIONS["laboratory video"]
    qualities = np.concatenate([np.linspace(0.6, 1.3, ITEMS // 2), np.linspace(4.7, 5.4, ITEMS // 2)])
    for participants in (5, 10, 24):
        for simulated in _studies(population, participants, studies, qualities):
            rows += [{"n": participants, **row} for row in _held(simulated, CLOSED)]
    return "### Items at the ends of the scale (laboratory video)\n\n" + _table(pd.DataFrame(rows), ["n"])


def _table(rows: pd.DataFrame, by: list[str]) -> str:
    mean = rows.groupby([*by, "interval"], sort=False).mean(numeric_only=True)
    cell = mean.apply(lambda r: f"{r['held']:.3f} / {r['width']:.2f} / {r['outside']:.0%}", axis=1)
    return "Coverage (nominal 0.95) / mean width / share that leaves 1..5.\n\n" + looks.markdown(
        cell.unstack(sort=False).reset_index()
    )


def _conditions(studies: int) -> str:
    """Two truths: the mean over these items, and that over items like them (the items drawn anew)."""
    rows = []
    for name, population in POPULATIONS.items():
        for seed in range(studies):
            rng = np.random.default_rng(seed)
            means = np.repeat(np.linspace(2.2, 3.8, CONDITIONS), ITEMS // CONDITIONS)
            simulated = simulate(means + rng.normal(0, 0.5, ITEMS), 24, population, seed=seed)
            rows += [{"population": name, **row} for row in _conditions_held(simulated, population)]
    mean = pd.DataFrame(rows).groupby(["population", "interval"], sort=False).mean()
    return (
        "### Conditions of ten items, 24 participants\n\nShare that holds the mean of these items / of items like "
        "them / mean width.\n\n"
        + looks.markdown(
            mean.apply(lambda r: f"{r['these']:.3f} / {r['such']:.3f} / {r['width']:.2f}", axis=1)
            .unstack(sort=False)
            .reset_index()
        )
    )


def _conditions_held(simulated: Simulated, population: Population) -> list[dict[str, object]]:
    per = ITEMS // CONDITIONS
    place = simulated.table["item"].str[4:].astype(int) - 1
    result = condition_means(check(simulated.table.assign(condition=place // per)).table)
    these = simulated.items["mos"].to_numpy().reshape(CONDITIONS, per).mean(axis=1)
    many = np.random.default_rng(0).normal(0, 0.5, 2000)
    from_all = [_mean_of(centre + many, population) for centre in np.linspace(2.2, 3.8, CONDITIONS)]
    names = {
        "participants": "ci",
        "two-way bootstrap": "bootstrap",
        "mixed model": "mixed",
        "pooled votes": "naive",
    }
    return [
        {
            "interval": name,
            "these": ((result[f"{key}_low"] <= these) & (these <= result[f"{key}_high"])).mean(),
            "such": ((result[f"{key}_low"] <= from_all) & (from_all <= result[f"{key}_high"])).mean(),
            "width": (result[f"{key}_high"] - result[f"{key}_low"]).mean(),
        }
        for name, key in names.items()
    ]


def _mean_of(qualities: np.ndarray, population: Population) -> float:
    return float(true_mos(qualities, population).mean())


def _model(studies: int) -> str:
    """RMSE against the latent quality, and coverage of the model's intervals about the panel's own zero of bias."""
    rows = []
    for each in (3, 5, 10, 20, 40):
        people = 20 * ITEMS // each
        for seed in range(max(studies // 4, 1)):
            population = Population(bias_sd=0.4, inconsistency=0.7, random_share=0.1)
            simulated = simulate(
                np.linspace(1.6, 4.4, ITEMS), people, population, per_participant=each, seed=seed
            )
            ratings = code(check(simulated.table).table)
            truth = simulated.items.set_index("item")["quality"].reindex(list(ratings.items)).to_numpy()
            row: dict[str, object] = {"ratings each": each}
            row["mean, RMSE"] = _rmse(tally(ratings).mean, truth)
            for variant in ("strict", "shrunken"):
                items = recover(ratings, variant).items
                shifted = truth + float((items["quality"] - truth).mean())
                row[f"{variant}, RMSE"] = _rmse(items["quality"].to_numpy(), truth)
                row[f"{variant}, held"] = (
                    (items["ci_low"] <= shifted) & (shifted <= items["ci_high"])
                ).mean()
            rows.append(row)
    mean = pd.DataFrame(rows).groupby("ratings each").mean().map("{:.3f}".format).reset_index()
    return "### Subject model, 20 ratings an item, 10 % answering at random\n\n" + looks.markdown(mean)


def _rmse(estimate: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(((estimate - truth) ** 2).mean()))


def _effects(studies: int) -> str:
    """False alarms: a factor of three levels without any effect, one image for each content and level."""
    rows = []
    for people_sd, content_sd, people, contents in WITHOUT_EFFECT:
        run = partial(_tests, people, contents, people_sd, content_sd)
        p = np.array([found[["p", "people_p"]].iloc[0] for found in _in_parallel(run, studies)], np.float64)
        spread = f"{people_sd:g}, {content_sd:g}"
        rows.append([spread, f"{people}, {contents}", *(looks.share(column < 0.05) for column in p.T)])
        print(*rows[-1], sep=" | ", file=sys.stderr)
    names = ["SD of people × factor, content × factor", "people, contents", "mixed model", "people as units"]
    return (
        f"### Effects without an effect\n\nShare of {studies} studies with p < 0.05 for a factor that does nothing, ± "
        "the standard error of the simulation. People as units answers for these images alone, which differ where "
        "content × factor does.\n\n" + looks.markdown(pd.DataFrame(rows, columns=names))
    )


def _families(studies: int) -> str:
    """False alarms among two factors and their interaction, adjusted by Holm."""
    rows = []
    for people, contents in ((15, 4), (45, 4)):
        run = partial(_tests, people, contents, 0.3, 0.3, second=2)
        some = np.array([(found["p_holm"] < 0.05).any() for found in _in_parallel(run, studies)])
        rows.append([f"{people}, {contents}", looks.share(some)])
        print(*rows[-1], sep=" | ", file=sys.stderr)
    return (
        "### Two factors and their interaction without an effect\n\n"
        f"Share of {studies} studies in which any of the three tests has p < 0.05 after Holm; both SDs 0.3.\n\n"
        + looks.markdown(pd.DataFrame(rows, columns=["people, contents", "mixed model"]))
    )


def _in_parallel(run: Callable[[int], pd.DataFrame], studies: int) -> list[pd.DataFrame]:
    """Return the results for the seeds of all studies, one process for each core."""
    with ProcessPoolExecutor() as pool:
        return list(pool.map(run, range(studies), chunksize=10))


def _tests(
    people: int, contents: int, people_sd: float, content_sd: float, seed: int, *, second: int = 1
) -> pd.DataFrame:
    """Return the tests of one study without an effect."""
    table = _without_effect(people, contents, people_sd, content_sd, seed, second)
    found = factor_effects(check(table).table)
    if found is None:
        raise ValueError("the simulated images have no factor")
    return found.of_kind("test")


def _without_effect(
    people: int, contents: int, people_sd: float, content_sd: float, seed: int, second: int = 1
) -> pd.DataFrame:
    """Ratings of contents × 3 layers × `second` styles; people and contents differ in how they take each level."""
    rng = np.random.default_rng(seed)
    shape = people, contents, 3, second
    latent = np.linspace(1.6, 4.6, contents)[:, None, None]
    latent = latent + rng.normal(0, content_sd, (contents, 3, 1)) + rng.normal(0, 0.45, (people, 1, 1, 1))
    latent = latent + rng.normal(0, people_sd, (people, 1, 3, 1))
    if second > 1:
        latent = latent + rng.normal(0, content_sd, (contents, 1, second))
        latent = latent + rng.normal(0, people_sd, (people, 1, 1, second))
    latent = latent + rng.normal(0, np.hypot(TASTE, 0.6), shape)
    person, content, level, style = (axis.ravel() for axis in np.indices(shape))
    table = pd.DataFrame({"participant": person, "content": content, "layer": level})
    if second > 1:
        table["style"] = style
    table = table.astype("str").assign(
        rating=np.clip(np.rint(latent), ACR.low, ACR.high).astype(np.int64).ravel()
    )
    item = table["content"] + "/" + table["layer"]
    return table.assign(item=item + "/" + table["style"] if second > 1 else item)


PARTS: Mapping[str, Callable[[int], list[str]]] = {
    "items": lambda studies: [_items(studies), _repeats(studies), _ceiling(studies)],
    "conditions": lambda studies: [_conditions(max(studies // 2, 1))],
    "model": lambda studies: [_model(studies)],
    "effects": lambda studies: [_effects(studies), _families(studies)],
    "camps": lambda studies: [camps(max(studies // 10, 1))],
    "looks": lambda studies: [
        looks.often_wrong(studies),
        looks.stopping_rules(studies),
        looks.differences(studies),
    ],
}


if __name__ == "__main__":
    main()
