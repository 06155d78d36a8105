"""The models give what R's lmerTest 3.1-3, clubSandwich 0.5.8 and pingouin 0.7.0 gave on the same ratings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from survey.analysis.effects.people import cluster_fit, greenhouse_geisser, orthonormal
from survey.analysis.effects.reml import RandomParts, fit_reml
from tests.survey.analysis.effects.grids import grid


def codes(*columns):
    return pd.MultiIndex.from_arrays(columns).factorize()[0].astype(np.int64)


@pytest.fixture(scope="module")
def data():
    table = grid()
    assert (len(table), table["rating"].sum(), (table["rating"] ** 2).sum()) == (222, 683, 2237)
    layer = table["layer"].str[1:].astype(int).to_numpy()
    style = np.where(table["style"] == "s0", 1.0, -1.0)
    coded = np.array([[1, 0], [0, 1], [-1, -1.0]])[layer]
    x = np.column_stack([np.ones(len(table)), style, coded, style[:, None] * coded])
    return table, x, table["rating"].to_numpy(float)


@pytest.fixture(scope="module")
def simple(data):
    table, x, y = data
    person = codes(table["participant"])
    return fit_reml(y, x, RandomParts(person, {"participant": person * 0}, {"item": codes(table["item"])}))


@pytest.fixture(scope="module")
def rich(data):
    table, x, y = data
    person, style, layer = (codes(table[name]) for name in ("participant", "style", "layer"))
    content = table["content"]
    between = {
        "content": codes(content),
        "content × layer": codes(content, table["layer"]),
        "content × style": codes(content, table["style"]),
        "item": codes(table["item"]),
    }
    within = {"participant": person * 0, "participant × layer": layer, "participant × style": style}
    return fit_reml(y, x, RandomParts(person, within, between))


ROWS = {"style": np.eye(6)[1:2], "layer": np.eye(6)[2:4], "style × layer": np.eye(6)[4:6]}


def test_variances_are_those_of_lme4(simple, rich):
    assert simple.variances == pytest.approx(
        {"item": 0.071468, "participant": 0.064753, "residual": 0.483391}, abs=2e-6
    )
    assert rich.variances == pytest.approx(
        {
            "participant": 0.03946990,
            "participant × layer": 0.07868541,
            "participant × style": 0.00260176,
            "content": 0,
            "content × layer": 0.05881703,
            "content × style": 0,
            "item": 0.01351202,
            "residual": 0.43021325,
        },
        abs=2e-6,
    )


@pytest.mark.parametrize(
    ("effect", "f", "df"),
    [("style", 0.1637, 18.534), ("layer", 1.6250, 18.451), ("style × layer", 0.8739, 18.520)],
)
def test_tests_are_those_of_lmertest(simple, effect, f, df):
    test = simple.test(ROWS[effect])
    assert (test.statistic, test.df2) == (pytest.approx(f, abs=5e-5), pytest.approx(df, abs=6e-4))


@pytest.mark.parametrize(
    ("effect", "f", "df"),
    [("style", 0.5078, 7.275), ("layer", 0.9015, 12.677), ("style × layer", 1.938, 9.514)],
)
def test_tests_of_the_rich_model_are_those_of_lmertest(rich, effect, f, df):
    test = rich.test(ROWS[effect])
    assert (test.statistic, test.df2) == (pytest.approx(f, abs=1e-4), pytest.approx(df, abs=5e-3))


def test_means_and_their_differences_are_those_of_emmeans(simple):
    rows = {
        "l0": [1, 0, 1, 0, 0, 0],
        "l1": [1, 0, 0, 1, 0, 0],
        "l2": [1, 0, -1, -1, 0, 0],
        "d": [0, 0, -2, -1, 0, 0],
    }
    found = {name: simple.contrast(np.array(row, float)) for name, row in rows.items()}
    for name, estimate, se, df in (
        ("l0", 3.0563, 0.1423, 25.06),
        ("l1", 2.9259, 0.1412, 24.45),
        ("l2", 3.2424, 0.1407, 24.08),
        ("d", 0.18607, 0.17712, 18.498),
    ):
        assert found[name].estimate == pytest.approx(estimate, abs=5e-5)
        assert found[name].se == pytest.approx(se, abs=5e-5)
        assert found[name].df == pytest.approx(df, abs=5e-3)


def test_cr2_and_its_hotelling_test_are_those_of_clubsandwich(data):
    table, x, y = data
    fit = cluster_fit(y, x, codes(table["participant"]))
    for place, beta, se, df in ((2, -0.01037, 0.0899, 13.1), (3, -0.14318, 0.0819, 13.4)):
        test = fit.test(np.eye(6)[place : place + 1])
        assert fit.beta[place] == pytest.approx(beta, abs=5e-6)
        assert abs(fit.beta[place]) / np.sqrt(test.statistic) == pytest.approx(se, abs=5e-5)
        assert test.df2 == pytest.approx(df, abs=0.05)
    joint = fit.test(ROWS["layer"])
    assert joint.statistic == pytest.approx(1.90, abs=5e-3)
    assert joint.df2 == pytest.approx(12.4, abs=0.05)


def test_greenhouse_geisser_is_that_of_pingouin(data):
    means = data[0].groupby(["participant", "layer"])["rating"].mean().unstack().to_numpy()
    test = greenhouse_geisser(means, orthonormal(3))
    assert test.statistic == pytest.approx(1.718067, abs=1e-6)
    assert test.df1 / 2 == pytest.approx(0.948168, abs=1e-6)
    assert test.p == pytest.approx(0.199752, abs=1e-6)


def test_people_who_saw_the_same_images_may_be_taken_together(data):
    """Whole and with one rating less: the complete design is summed up by groups, the other person by person."""
    table = grid(missing=0)
    person, item = codes(table["participant"]), codes(table["item"])
    y, x = table["rating"].to_numpy(float), np.ones((len(table), 1))
    fits = [
        fit_reml(
            y[keep],
            x[keep],
            RandomParts(person[keep], {"participant": person[keep] * 0}, {"item": item[keep]}),
        )
        for keep in (slice(None), slice(1, None))
    ]
    for name, value in fits[0].variances.items():
        assert fits[1].variances[name] == pytest.approx(value, abs=0.02)
