from __future__ import annotations

import json
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from survey.analysis import analyse, check
from survey.analysis.items.intervals import INTERVALS
from survey.analysis.participants.agreement import icc_2
from survey.analysis.planning.simulation import Population, simulate
from tests.survey.analysis.tables import few, rows, study, tables

COLUMNS = {
    "mos": "item,n,participants,mos,sd,ci_low,ci_high,ci_method,bounded_low,bounded_high,median,n1,n2,n3,n4,n5,gob,pow",
    "observers": "participant,n,mean,sd,correlation,bt500_rejected,p913_correlation_rejected,bias,inconsistency",
    "recovered": "item,quality,ci_low,ci_high",
    "recovered_shrunken": "item,quality,ci_low,ci_high",
    "comparisons": "a,b,n,n_nonzero,difference,ci_low,ci_high,w,p,p_holm,rank_biserial",
}
KEYS = "items participants ratings alpha_ordinal alpha_interval icc_2_1 icc_2_k sos_a friedman_chi2 friedman_p notes"


def with_conditions(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(condition="c" + (table["item"].str[4:].astype(int) // 10).astype(str))


def test_the_tables_have_the_columns_that_are_promised():
    result = analyse(study())
    tables_ = result.tables()
    for name, columns in COLUMNS.items():
        assert ",".join(tables_[name].columns) == columns
    assert set(KEYS.split()) <= set(result.summary)
    assert result.conditions is None
    assert "conditions" not in tables_


@pytest.mark.slow
def test_several_questions_are_kept_apart():
    one, two = study(seed=1), study(seed=2)
    both = pd.concat([one.assign(question="overall"), two.assign(question="style")], ignore_index=True)
    result, alone = analyse(both), analyse(one)
    assert all(frame.columns[0] == "question" for frame in result.tables().values())
    pd.testing.assert_frame_equal(result.questions["overall"].mos, alone.mos)
    assert result.summary["questions"]["overall"]["alpha_ordinal"] == alone.summary["alpha_ordinal"]
    assert result.summary["alpha_ordinal"] is None
    assert result.summary["ratings"] == len(both)


def test_one_question_needs_no_column_for_it():
    result = analyse(study().assign(question="overall"))
    assert result.mos.columns[0] == "item"
    assert list(result.questions) == ["overall"]


@pytest.mark.slow
@given(tables())
@few
def test_any_table_can_be_analysed_and_written_as_json(table):
    with warnings.catch_warnings(action="error"):
        result = analyse(table)
    json.dumps(result.summary, allow_nan=False)
    for name, value in result.summary.items():
        if name in ("alpha_ordinal", "sos_a") and value is None:
            assert name in result.summary["notes"]
    assert result.summary["ratings"] == len(table) == result.mos["n"].sum() == result.observers["n"].sum()


EDGES = {
    "one rating": "a x 3",
    "one participant": "a x 3\na y 1\na z 5",
    "one item": "a x 3\nb x 1\nc x 5",
    "all equal": "\n".join(f"p{i} item{j} 5" for i in range(5) for j in range(5)),
    "unanimous items": "\n".join(f"p{i} item{j} {j % 5 + 1}" for i in range(5) for j in range(6)),
    "unconnected": "a x 1\na y 2\nb z 3\nb w 5",
    "constant participant": "\n".join(
        f"p{i} item{j} {3 if i == 0 else (i + j) % 5 + 1}" for i in range(5) for j in range(6)
    ),
}


@pytest.mark.parametrize("ci", INTERVALS)
@pytest.mark.parametrize("edge", EDGES)
def test_edges_neither_fail_nor_warn(edge, ci):
    table = rows(EDGES[edge])
    full = table.assign(
        condition="c" + pd.Series(range(len(table))).mod(2).astype(str),
        reference="x",
        position=range(len(table)),
        rt_ms=900.0,
    )
    with warnings.catch_warnings(action="error"):
        for one in (table, full):
            result = analyse(one, ci=ci)
            json.dumps(result.summary, allow_nan=False)
            assert (result.mos["bounded_low"] >= 1).all()


def test_the_same_data_in_another_order_give_the_same_tables():
    table = with_conditions(study(random_share=0.1))
    one, other = analyse(table), analyse(table.sample(frac=1, random_state=3))
    for name, frame in one.tables().items():
        pd.testing.assert_frame_equal(frame, other.tables()[name], rtol=1e-9, obj=name)
    assert one.stamp == other.stamp


def test_conditions_come_with_letters_comparisons_and_an_ordinal_check():
    result = analyse(with_conditions(study(items=30)))
    assert result.conditions is not None
    assert result.condition_comparisons is not None
    assert result.conditions["letters"].str.len().min() >= 1
    assert len(result.condition_comparisons) == len(result.conditions) * (len(result.conditions) - 1) / 2
    assert result.summary["ordinal_agrees"] is True
    assert result.summary["friedman_conditions_p"] < 0.001


def test_conclusions_that_careless_participants_decide_are_reported():
    simulated = simulate(np.linspace(2.6, 3.4, 30), 30, Population(random_share=0.3), seed=5)
    result = analyse(with_conditions(simulated.table))
    careless = set(simulated.participants.query("kind == 'random'")["participant"])
    assert careless & set(result.summary["participants_flagged"])
    kept = simulated.table[~simulated.table["participant"].isin(result.summary["participants_flagged"])]
    screened = analyse(kept).mos["mos"]
    np.testing.assert_allclose(result.panels["screened"], screened)
    changes = [
        result.summary[f"pairs_{name}"] for name in ("reversed", "lost", "gained", "reversed_by_model")
    ]
    assert result.summary["conclusions_depend_on_panel"] == any(changes)


def test_rows_of_other_phases_and_empty_ratings_are_accounted_for():
    table = study().assign(phase="main").astype({"rating": "float"})
    table.loc[:9, "phase"] = "practice"
    table.loc[20:24, "rating"] = np.nan
    result = analyse(table)
    assert result.stamp["rows_in"] == len(table)
    assert result.stamp["rows_left_out"] == {"empty rating": 5}
    assert result.stamp["rows_of_other_phases"] == 10
    assert result.summary["ratings"] == len(table) - 15


def test_repeats_count_in_the_mos_once_in_alpha_and_as_their_mean_in_icc():
    table = study(items=8, participants=6)
    repeated = pd.concat([table, table.assign(rating=table["rating"] % 5 + 1)], ignore_index=True)
    once, twice = analyse(table), analyse(repeated)
    assert twice.mos["n"].tolist() == (2 * once.mos["n"]).tolist()
    assert twice.summary["alpha_ordinal"] == once.summary["alpha_ordinal"]
    means = repeated.groupby(["participant", "item"])["rating"].mean().unstack().to_numpy()
    assert twice.summary["icc_2_1"] == pytest.approx(icc_2(means).single)
    assert "repeated_rows" in twice.summary["notes"]


def test_a_checked_table_is_taken_as_it_is():
    ratings = check(study())
    assert analyse(ratings).stamp == analyse(study()).stamp


def test_the_analysis_imports_neither_django_nor_torch():
    code = "import survey.analysis, sys; print([m for m in ('django', 'torch', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "text",
    [
        "a x 3",
        "a x 3\na y 4",
        "a x 3\nb x 4",
        "a x 3\nb y 3",
        "a x 5\nb x 5\na y 5\nb y 5\na z 5\nb z 5",
        "a x 1\nb x 2\na y 2\nb y 3",
    ],
    ids=["one rating", "one participant", "one item", "each once", "unanimous", "two by two"],
)
def test_a_number_that_the_data_do_not_allow_has_its_reason(text):
    summary = analyse(rows(text)).summary
    missing = [key for key in KEYS.split() if summary[key] is None]
    assert missing
    assert set(missing) <= set(summary["notes"])
