"""What it gains to draw pairs by information: `python -m benchmarks.pair_choice [--studies 60] [--only PART]`.

Simulated studies of images whose log odds are known. One answer in twenty is made at random. Prints Markdown tables and
writes them to benchmarks/results/pair_choice.md. The seed is fixed: the same numbers every time, times excepted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from benchmarks.coverage import merged
from benchmarks.looks import markdown
from survey.analysis.pairs.gain import PairState, belief, next_pairs
from survey.analysis.pairs.pairs import bradley_terry, score_variance
from survey.analysis.table import TableError

Floats = NDArray[np.float64]
Pairs = list[tuple[int, int]]

ROOT = Path(__file__).parents[1]
RESULT = Path(__file__).parent / "results" / "pair_choice.md"
LAPSES: Final = 0.05
ROUNDS: Final = 20
DESIGNS: Final = ((16, 2.5, 1), (16, 2.5, 5), (16, 1.0, 5), (40, 2.5, 5), (40, 1.0, 5))
"""Images, SD of their log odds, and people under way at a time."""
PANELS: Final = (
    (16, 2.5, 0.0, 0.0),
    (16, 2.5, 0.8, 0.0),
    (16, 1.0, 0.0, 0.0),
    (16, 1.0, 0.8, 0.0),
    (16, 2.5, 0.0, LAPSES),
)
"""Images, SD of their log odds, SD of a person's own taste for an image, and share of answers at random."""
PEOPLE: Final = (5, 10, 20, 40)
LOGIT_NORMAL: Final = 256 / (75 * np.pi**2)
"""Square of 16 √3 / (15 π), by which a normal distribution is a logistic one (Johnson and Kotz 1970)."""
IMAGES, EACH = 300, 60
"""Of the study whose draws are timed, and pairs of each person."""


class Panel:
    """People who compare images of known log odds, one after the other, `under_way` at a time."""

    def __init__(
        self, images: int, spread: float, taste: float, under_way: int, rule: str, seed: int, lapses: float
    ) -> None:
        self.rng = np.random.default_rng([images, seed])
        self.quality = self.rng.normal(0, spread, images)
        self.taste, self.under_way, self.rule, self.lapses = taste, under_way, rule, lapses
        self.wins = np.zeros((images, images))
        self.shown = np.zeros((images, images))
        self.waiting: list[Pairs] = []
        self.choices: list[tuple[int, int, int, str]] = []

    def one_more(self, person: int) -> None:
        """Let a person begin; whoever has been under way longest answers."""
        drawn = getattr(self, f"_{self.rule}")()
        for i, j in drawn:
            self.shown[i, j] += 1
            self.shown[j, i] += 1
        self.waiting.append(drawn)
        if len(self.waiting) == self.under_way:
            self._answer(self.waiting.pop(0), person)

    def _random(self) -> Pairs:
        order = self.rng.permutation(len(self.quality))
        return [(int(i), int(j)) for i, j in pairwise(order)]

    def _balanced(self) -> Pairs:
        first, second = np.triu_indices(len(self.quality), 1)
        order = np.lexsort((self.rng.random(len(first)), self.shown[first, second]))
        chosen = order[: len(self.quality) - 1]
        return [(int(i), int(j)) for i, j in zip(first[chosen], second[chosen], strict=True)]

    def _informative(self) -> Pairs:
        state = PairState((self.wins,), self.shown - self.wins - self.wins.T)
        return next_pairs(state, np.ones_like(self.wins, dtype=bool), None, self.rng)

    def _answer(self, pairs: Pairs, person: int) -> None:
        own = self.quality + self.rng.normal(0, self.taste, len(self.quality))
        for i, j in pairs:
            chance = self.lapses / 2 + (1 - self.lapses) * expit(own[i] - own[j])
            won = bool(self.rng.random() < chance)
            self.wins[(i, j) if won else (j, i)] += 1
            self.choices.append((person, i, j, "first" if won else "second"))

    def error(self) -> float:
        """Return the root mean square error of the penalised scores, both means taken off."""
        gap = belief(self.wins).scores - self.quality
        return float(gap.std())


RULES: Final = ("random", "balanced", "informative")


def errors(studies: int) -> str:
    """Return the table of errors under each rule."""
    rows = []
    for images, spread, under_way in DESIGNS:
        mean = {
            rule: np.mean(_in_parallel(partial(_errors, images, spread, under_way, rule), studies), axis=0)
            for rule in RULES
        }
        falling = -np.minimum.accumulate(mean["informative"])
        at = np.arange(1, ROUNDS + 1)
        needed = [np.interp(-mean["random"][rounds - 1], falling, at) / rounds for rounds in (10, ROUNDS)]
        cells = [" / ".join(f"{mean[rule][k]:.2f}" for k in (4, 9, 19)) for rule in RULES]
        rows.append([images, spread, under_way, *cells, *(f"{share:.0%}" for share in needed)])
        print(*rows[-1], sep=" | ", file=sys.stderr)
    heads = ["images", "SD of log odds", "people at a time", *RULES]
    heads += ["votes for the error of random pairs after 10", f"after {ROUNDS}"]
    return (
        f"### Error by the rule that draws pairs\n\nRoot mean square error of the penalised scores in log odds after 5 / 10 / "
        f"{ROUNDS} people, each with one fewer pair than there are images; mean of {studies} simulated studies. The last columns: how "
        "many votes informative pairs need for the error that random pairs have after 10 and after 20 people.\n\n"
        + markdown(pd.DataFrame(rows, columns=heads))
    )


def _errors(images: int, spread: float, under_way: int, rule: str, seed: int) -> list[float]:
    panel = Panel(images, spread, 0.0, under_way, rule, seed, LAPSES)
    found: list[float] = []
    for person in range(ROUNDS + under_way - 1):
        panel.one_more(person)
        if person >= under_way - 1:
            found.append(panel.error())
    return found


def coverage(studies: int) -> str:
    """Return the table of how often intervals hold the true scores."""
    rows = []
    for images, spread, taste, lapses in PANELS:
        for people in PEOPLE:
            cells = []
            for rule in ("informative", "balanced"):
                run = partial(_held, images, spread, taste, lapses, people, rule)
                found = np.array(_in_parallel(run, studies))
                cells += [f"{np.nanmean(found[:, 0]):.3f} / {np.nanmean(found[:, 1]):.2f}"]
                if rule == "balanced":
                    none = np.isnan(found[:, 2])
                    held = "–" if none.all() else f"{found[~none, 2].mean():.3f}"
                    cells += [f"{held} ({none.mean():.0%} none)"]
            rows.append([spread, taste, f"{lapses:.0%}", people, *cells])
            print(*rows[-1], sep=" | ", file=sys.stderr)
    heads = ["SD of log odds", "SD of own taste", "at random", "people"]
    heads += ["informative, penalised", "balanced, penalised"]
    return (
        "### Intervals of pair scores\n\nShare of images whose 95 % interval holds the true score (of mean 0), and its mean width. "
        f"16 images, 15 pairs each person, one at a time; {studies} simulated studies. Maximum likelihood has no scores where an "
        "image was never beaten (none).\n\n"
        + markdown(pd.DataFrame(rows, columns=[*heads, "balanced, maximum likelihood"]))
    )


def _held(
    images: int, spread: float, taste: float, lapses: float, people: int, rule: str, seed: int
) -> list[float]:
    panel = Panel(images, spread, taste, 1, rule, seed, lapses)
    for person in range(people):
        panel.one_more(person)
    table = pd.DataFrame(panel.choices, columns=["participant", "first", "second", "answer"])
    table[["first", "second"]] = table[["first", "second"]].map(lambda item: f"{item:03d}")
    # A panel whose people differ has log odds nearer to 0 than each of them: logistic and normal distributions are alike.
    truth = (panel.quality - panel.quality.mean()) / np.sqrt(1 + 2 * LOGIT_NORMAL * taste**2)
    found = []
    for variance in (score_variance(table), None):
        try:
            items = bradley_terry(table, variance).items
        except TableError:
            found += [float("nan"), float("nan")]
            continue
        held = (items["ci_low"] <= truth) & (truth <= items["ci_high"])
        found += [float(held.mean()), float((items["ci_high"] - items["ci_low"]).mean())]
    return found


def _in_parallel(run: Callable[[int], list[float]], studies: int) -> list[list[float]]:
    with ProcessPoolExecutor() as pool:
        return list(pool.map(run, range(studies), chunksize=5))


def speed(studies: int) -> str:
    """Return how long it takes to start sessions of a study of many images, drawn by each rule."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "nstsite.settings"}
        command = [sys.executable, "-m", "benchmarks.pair_choice", "--only", "timed"]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
    found = json.loads(done.stdout.splitlines()[-1])
    rows = [[rule, *(f"{value:.2f} s" for value in times)] for rule, times in found.items()]
    heads = ["pairs", "processor time", "longest"]
    return (
        f"### Time to draw\n\nStart of a session on SQLite with {IMAGES} images of one content and {EACH} pairs each person, after 30 "
        "others: the whole transaction, mean of 20 in processor time. Informative pairs also without a limit "
        f"({IMAGES - 1} pairs each).\n\n" + markdown(pd.DataFrame(rows, columns=heads))
    )


def timed() -> dict[str, list[float]]:
    """Return {rule: mean and longest processor time of a start}; run in an installation of its own."""
    import django

    django.setup()
    from django.core.management import call_command

    from survey.models import Study
    from survey.session import starting
    from survey.study.pictures import Picture
    from survey.study.publish import publish
    from survey.study.study_file import parse
    from tests.survey.factories import picture

    call_command("migrate", verbosity=0)
    studies = {
        "balanced": f"images = {EACH}",
        "informative": f'images = {EACH}\npairs = "informative"',
        "informative, one whole tree": 'pairs = "informative"',
    }
    found = {}
    for number, (name, session) in enumerate(studies.items()):
        text = f'title = "Pairs"\nmethod = "pair"\n[session]\n{session}\n'
        pictures = [Picture(f"i{i}", partial(picture, i), content="cat") for i in range(IMAGES)]
        study = publish(f"pairs{number}", parse(text, "study.toml"), pictures)
        study.state = Study.State.OPEN
        study.save()
        times = []
        for person in range(50):
            began = time.process_time()
            participant = starting.start(study)
            times.append(time.process_time() - began)
            _answer_all(participant, person)
        found[name] = [float(np.mean(times[30:])), float(np.max(times[30:]))]
    return found


def _answer_all(participant: Any, seed: int) -> None:
    """Answer by the order of the images' keys, with chance."""
    from django.utils import timezone

    from survey.models import Preference, Trial

    rng = np.random.default_rng(seed)
    trials = list(Trial.objects.filter(participant=participant))
    question = trials[0].participant.study.questions.get()
    now = timezone.now()
    for trial in trials:
        trial.outcome, trial.answered_at = Trial.Outcome.RATED, now
    Trial.objects.bulk_update(trials, ["outcome", "answered_at"])
    rows = []
    for trial in trials:
        gap = (trial.stimulus_id - (trial.other_id or 0)) / 30
        value = "first" if rng.random() < expit(gap) else "second"
        rows.append(Preference(trial=trial, question=question, value=value, first_value=value))
    Preference.objects.bulk_create(rows)


PARTS: Mapping[str, Callable[[int], str]] = {"error": errors, "coverage": coverage, "speed": speed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=60, help="simulated studies of each kind")
    parser.add_argument(
        "--only", choices=[*PARTS, "timed"], help="make only this part again, and keep the others"
    )
    options = parser.parse_args()
    if options.only == "timed":
        print(json.dumps(timed()))
        return
    texts = [PARTS[name](options.studies) for name in ([options.only] if options.only else PARTS)]
    print("\n\n".join(texts))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(merged(RESULT.read_text() if RESULT.exists() else "", texts))


if __name__ == "__main__":
    main()
