"""Files of means and counts: named as what they are, and what they allow is done."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from survey.analysis import TableError, analyse, check, read_ratings
from survey.analysis.grim import grim, most_sd
from survey.analysis.means import compare_means, means_table
from survey.analysis.reading.options import parse_options
from survey.analysis.reading.statistics import CountsTable, MeansTable, StatisticsOnly
from survey.analysis.report.statistics import analyse_statistics
from survey.analysis.scale import ACR, Scale


def found(folder: Path, text: str, **options: str) -> MeansTable | CountsTable:
    path = folder / "table.csv"
    path.write_text(text)
    with pytest.raises(StatisticsOnly) as caught:
        read_ratings(path, parse_options(**options))
    return caught.value.found


@pytest.mark.parametrize(
    ("mean", "n", "scale", "verdict"),
    [
        ("4.33", 45, ACR, "possible"),
        ("3.73", 45, ACR, "possible"),
        ("4.37", 45, ACR, "if cut off"),
        ("3.37", 45, ACR, "if cut off"),
        ("3.66", 45, ACR, "if cut off"),
        ("4.00", 45, ACR, "possible"),
        ("4.0", 45, ACR, "cannot judge"),
        ("3.66", 100, ACR, "cannot judge"),
        ("5.19", 28, Scale(1, 7, 1), "impossible"),
        ("2.25", 2, Scale(1, 5, 0.5), "possible"),
        ("2.30", 2, Scale(1, 5, 0.5), "impossible"),
        ("3.5", 7, Scale(0, 100, None), "cannot judge"),
        ("5.10", 3, ACR, "impossible"),
    ],
)
def test_a_printed_mean_can_or_cannot_come_from_whole_ratings(mean, n, scale, verdict):
    assert grim(mean, n, scale).verdict == verdict


@pytest.mark.parametrize("n", [3, 7, 12])
def test_grim_agrees_with_all_sums(n):
    rounded = {f"{float(round(Fraction(total, n), 2)):.2f}" for total in range(n, 5 * n + 1)}
    for hundredths in range(100, 501):
        text = f"{hundredths / 100:.2f}"
        if grim(text, n, ACR).verdict != "possible":
            assert text not in rounded
        elif text not in rounded:
            assert (Fraction(hundredths, 100) * n * 200) % 1 == 0  # A tie of rounding.


def test_the_largest_sd_is_that_of_all_ratings_at_the_ends():
    for n in (2, 3, 5):
        best: dict[float, float] = {}
        for ratings in combinations_with_replacement(range(1, 6), n):
            mean = sum(ratings) / n
            best[mean] = max(best.get(mean, 0), float(np.std(ratings, ddof=1)))
        for mean, sd in best.items():
            assert most_sd(mean, n, ACR) == pytest.approx(sd)


def test_a_table_of_means_is_named_and_compared(tmp_path):
    text = "image,MOS,std,n\nx,4.2,0.8,12\ny,3.33,0.5,15\nz,2.50,0.9,\n"
    means = found(tmp_path, text)
    assert isinstance(means, MeansTable)
    table = means_table(means.table, means.scale)
    assert table["item"].tolist() == ["x", "y", "z"]
    low, high = stats.t.interval(0.95, 11, 4.2, 0.8 / np.sqrt(12))
    assert table.loc[0, ["ci_low", "ci_high"]].tolist() == pytest.approx([low, high])
    welch = stats.ttest_ind_from_stats(4.2, 0.8, 12, 3.33, 0.5, 15, equal_var=False)
    pair = compare_means(means.table)
    assert pair[["a", "b"]].to_numpy().tolist() == [["x", "y"]]
    assert pair[["t", "p"]].iloc[0].tolist() == pytest.approx([welch.statistic, welch.pvalue])
    with pytest.raises(TableError, match="a table of means; raw ratings are needed"):
        read_ratings(tmp_path / "table.csv")


def test_the_number_of_raters_can_be_given(tmp_path):
    text = "layer;MOS\na;4.0\nb;4.37\nc;3.37\nd;4.33\ne;4.0\nf;3.73\ng;3.66\n"
    done = analyse_statistics(found(tmp_path, text, columns="n=45"), "Means")
    assert "3 of 5 means cannot come from 45 whole ratings by rounding" in done.summary["notes"]["grim"]
    assert "3 of them can if further digits were cut off" in done.summary["notes"]["grim"]
    assert done.tables["means"].query("grim == 'if cut off'")["item"].tolist() == ["b", "c", "g"]
    assert "4.36, 4.38" in done.report
    unknown = analyse_statistics(found(tmp_path, text), "Means")
    assert "--columns n=45" in unknown.summary["notes"]["grim"]


COUNTS = {"x": [1, 2, 3, 4, 5], "y": [0, 0, 0, 7, 1], "z": [0, 0, 0, 0, 0]}


@pytest.mark.parametrize(
    "header",
    ["n1,n2,n3,n4,n5", "count_1,count_2,count_3,count_4,count_5", "Bad,Poor,Fair,Good,Excellent", "1,2,3,4,5",
     "Schlecht,Dürftig,Ordentlich,Gut,Ausgezeichnet", "1 star,2 stars,3 stars,4 stars,5 stars"],
)  # fmt: skip
def test_counts_give_all_statistics_of_the_items(tmp_path, header):
    text = f"item,{header}\n" + "".join(f"{item},{','.join(map(str, n))}\n" for item, n in COUNTS.items())
    counts = found(tmp_path, text)
    assert isinstance(counts, CountsTable)
    done = analyse_statistics(counts, "Counts")
    rows = [(item, k) for item, n in COUNTS.items() for k, times in enumerate(n, 1) for _ in range(times)]
    single = pd.DataFrame(rows, columns=["item", "rating"]).assign(
        participant=[f"p{i}" for i in range(len(rows))]
    )
    wanted = analyse(check(single)).mos
    pd.testing.assert_frame_equal(done.tables["mos"].iloc[:2], wanted, check_dtype=False)
    assert done.tables["mos"]["n"].tolist() == [15, 8, 0]


def test_columns_1_to_5_may_be_participants(tmp_path):
    text = "item,1,2,3,4,5\nx,1,2,3,4,5\ny,2,2,2,2,1\n"
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(TableError, match="may be counts of each category or 5 participants"):
        read_ratings(path)
    assert len(read_ratings(path, parse_options(wide="items")).table) == 10
    assert isinstance(found(tmp_path, text, wide="no"), CountsTable)


def test_side_tables_are_refused_by_name(tmp_path):
    path = tmp_path / "observers.csv"
    path.write_text("participant,n,mean,sd\na,3,4.1,0.3\n")
    with pytest.raises(TableError, match="a table of participants' statistics"):
        read_ratings(path)
    path.write_text("condition,kind,note\na,b,c\n")
    with pytest.raises(
        TableError, match="no columns 'participant', 'item', 'rating'; found: condition, kind, note"
    ):
        read_ratings(path)


def test_means_of_several_questions_and_means_in_rows(tmp_path):
    several = found(tmp_path, "image_key,appeal_mean,appeal_std,realism_mean\nx,2.5,1.2,3.0\ny,4.5,0.5,4.0\n")
    assert isinstance(several, MeansTable)
    assert several.table["item"].tolist() == ["x, appeal", "y, appeal", "x, realism", "y, realism"]
    assert several.table["sd"].tolist()[:2] == [1.2, 0.5]
    turned = found(tmp_path, "File,clip a,clip b,clip c\nMOS,2.5,3.5,4.5\nstd,1.0,0.9,0.4\n")
    assert isinstance(turned, MeansTable)
    assert turned.table[["item", "value", "sd"]].to_numpy().tolist() == [
        ["clip a", 2.5, 1.0],
        ["clip b", 3.5, 0.9],
        ["clip c", 4.5, 0.4],
    ]


@pytest.mark.parametrize(
    ("head", "cell", "sd"),
    [("Mean (SD)", "3.40 (0.80)", 0.8), ("M ± SD", "3.40±0.80", 0.8), ("MOS", "3.40 ± 0.80", np.nan)],
)
def test_a_mean_with_its_spread_in_one_cell_is_parted(tmp_path, head, cell, sd):
    """Without a word on what it is, the spread is not used: it may be a standard error."""
    means = found(tmp_path, f"image;{head};n\nx;{cell};1,234\ny;{cell};980\n")
    assert isinstance(means, MeansTable)
    assert means.table["mean"].tolist() == ["3.40", "3.40"]
    assert means.table["sd"].tolist() == pytest.approx([sd, sd], nan_ok=True)
    assert means.table["n"].tolist() == [1234, 980]
    assert "spread" in means.notes


@pytest.mark.parametrize("last", ["Average;3.0;0.7;20", "Max;4.0;0.8;10", ";3.0;0.7;20"])
def test_a_row_that_sums_up_the_means_is_no_item(tmp_path, last):
    means = found(tmp_path, f"image;MOS;SD;n\nx;4.0;0.8;10\ny;2.0;0.6;10\n{last}\n")
    assert isinstance(means, MeansTable)
    assert means.table["item"].tolist() == ["x", "y"]
    assert "row 4 left out" in means.notes["summary_item"]


def test_a_row_that_sums_up_the_counts_is_no_item(tmp_path):
    for last in ("Total;4,102;3;5;7;9", ";4102;3;5;7;9"):
        counts = found(tmp_path, f"image;n1;n2;n3;n4;n5\nx;4,096;0;1;2;3\nMax;6;3;4;5;6\n{last}\n")
        assert isinstance(counts, CountsTable)
        assert counts.items.tolist() == ["x", "Max"]
        assert counts.counts[0].tolist() == [4096, 0, 1, 2, 3]


def test_counts_may_stand_below_each_other(tmp_path):
    counts = found(tmp_path, "item,rating,count\nb,5,3\nb,1,2\na,3,4\n")
    assert isinstance(counts, CountsTable)
    assert (counts.items.tolist(), counts.counts.tolist()) == (["b", "a"], [[2, 0, 0, 0, 3], [0, 0, 4, 0, 0]])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("item,1,2,3,4,5\nx,10%,20%,30%,20%,20%\n", "shares, not counts"),
        ("item,1,2,3,4,5\nx,.125,.25,.25,.125,.25\n", "shares, not counts"),
        ("item,1,2,3,4,5\nx,10.5,20.5,30,19,20\n", "shares, not counts"),
        ("item,n1,n2,n3,n4,n5\nx,1,?x,3,4,5\n", "row 2: '?x' is no count"),
        ("item,n1,n2,n3,n4,n5\nx,1,-2,3,4,5\n", "row 2: '-2' is no count"),
        ("item,n1,n2,n3,n4,n5,n6,n7\nx,1,2,3,4,5,1,1\ny,1,2,3,4,5,1,1\n", "add --scale 1:7"),
        ("item,0,1,2,3,4,5\nx,0,1,2,3,4,5\ny,0,3,2,1,4,5\n", "column '0': rating 0"),
        ("participant,item,rating,count\np,x,1,3\np,x,2,0\np,y,1,1\n", "how often each rating was given"),
    ],
)
def test_what_is_neither_counts_nor_ratings_is_refused(tmp_path, text, said):
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(TableError, match=re.escape(said)) as caught:
        read_ratings(path)
    assert not isinstance(caught.value, StatisticsOnly)


def test_counts_that_may_be_percentages_are_noted(tmp_path):
    counts = found(tmp_path, "item,n1,n2,n3,n4,n5\nx,10,20,30,20,20\ny,0,0,0,50,50\n")
    assert "percentages" in counts.notes["percent"]


def test_an_interval_in_brackets_is_no_list_of_ratings(tmp_path):
    means = found(tmp_path, 'image;MOS;95% CI\nx;3.5;"[3.1, 3.9]"\ny;2.5;"[2.1, 2.9]"\n')
    assert isinstance(means, MeansTable)
    assert means.table["item"].tolist() == ["x", "y"]
