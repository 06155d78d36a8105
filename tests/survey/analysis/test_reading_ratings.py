from __future__ import annotations

import pandas as pd
import pytest

from survey.analysis import TableError, analyse, check, read_ratings
from survey.analysis.factors import factor_columns
from survey.analysis.table import code, data_hash, main_phase
from tests.survey.analysis.tables import rows, study


@pytest.fixture
def read(tmp_path):
    def read(content: str | bytes, encoding: str = "utf-8"):
        path = tmp_path / "ratings.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return read_ratings(path)

    return read


def refusal(read, content: str | bytes) -> str:
    with pytest.raises(TableError) as caught:
        read(content)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("participant,item,rating\nJosé,Bär,4\n", "utf-8"),
        ("participant,item,rating\r\nJosé,Bär,4\r\n", "utf-8-sig"),
        ("participant;item;rating\r\nJosé;Bär;4,0\r\n", "cp1252"),
        ("participant\titem\trating\nJosé\tBär\t4\n", "utf-16"),
        ('"participant","item","rating"\n"José","Bär","4"\n', "utf-8"),
        ("participant,item,rating\rJosé,Bär,4\r", "utf-8"),
        ("\n\n participant , item , rating \nJosé,Bär,4\n", "utf-8"),
    ],
)
def test_it_reads_what_spreadsheets_write(read, content, encoding):
    table = read(content, encoding).table
    assert table[["participant", "item", "rating"]].astype("object").to_numpy().tolist() == [
        ["José", "Bär", 4]
    ]


def test_it_keeps_names_that_look_like_numbers(read):
    table = read("participant,item,rating\n007,1.0,4\n").table
    assert table["participant"].tolist() == ["007"]
    assert table["item"].tolist() == ["1.0"]


def test_factors_come_in_the_order_of_a_study(read):
    lines = [f"p,i{i},3,c{i % 2},s{i // 2},k{i % 3},{i}" for i in range(6)]
    table = read("\n".join(["participant,item,rating,content,style,condition,level", *lines])).table
    assert factor_columns(table) == ["content", "style", "condition"]


def test_an_image_without_a_style_has_no_level_of_it(read):
    table = read(
        "participant,item,rating,style,condition\np,a,3,wave,weak\np,b,4,wave,weak\np,photo,5,,\n"
    ).table
    assert factor_columns(table) == []


def test_a_level_that_an_export_protected_from_being_a_formula_is_itself(read):
    table = read("participant,item,rating,noise\np,a,3,'-3 dB\np,b,3,none\n").table
    assert table["noise"].tolist() == ["-3 dB", "none"]


def test_a_list_that_tells_of_an_item_makes_no_further_ratings(read):
    table = read(
        "participant,item,rating,layers\np,a,3,\"['conv1_1', 'conv2_1']\"\np,b,4,\"['conv3_1']\"\n"
    ).table
    assert table["rating"].tolist() == [3, 4]
    assert table["layers"].tolist() == ["['conv1_1', 'conv2_1']", "['conv3_1']"]


def test_it_names_missing_columns_and_the_nearest_ones(read):
    message = refusal(read, "subject,itme,raitng\na,b,3\n")
    assert "no columns 'item' (is it 'itme'? then add --columns item=itme), 'rating'" in message


@pytest.mark.parametrize("rating", ["0", "6", "2.5", "goodish", "-1", "inf"])
def test_it_refuses_a_rating_outside_the_scale_and_names_its_row(read, rating):
    message = refusal(read, f"participant,item,rating\na,b,3\n\na,c,{rating}\n")
    assert "row 4" in message
    assert rating.lstrip("-") in message


def test_it_counts_the_refused_ratings(read):
    assert "2 such ratings: rows 2, 4" in refusal(read, "participant,item,rating\na,b,9\na,c,3\na,d,8\n")


def test_it_leaves_empty_ratings_out_and_says_so(read):
    ratings = read("participant,item,rating\na,b,\na,c,3\nb,c,NaN\n")
    assert ratings.left_out == {"empty rating": 2}
    assert "rows 2, 4" in ratings.notes["empty_ratings"]
    assert len(ratings.table) == 1
    assert ratings.rows_in == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "the file is empty"),
        ("participant,item,rating\n", "no ratings"),
        ("participant,item,rating\na,b,\n", "every rating is empty"),
        ("participant,item,rating\n,b,3\n", "row 2: participant is empty"),
        ("participant,item,rating,item\na,b,3,c\n", "'item' is there twice"),
        ("participant,item,rating\na,b,3,4\n", "more cells than the header"),
        ("participant,item,rating,phase\na,b,3,mian\n", "did you mean 'main'?"),
        ("participant,item,rating,phase\na,b,3,practice\n", "no rating of the main phase"),
        (bytes(range(1, 256)), "neither UTF-8 nor Windows-1252"),
        (bytes(range(256)), "not a text file"),
        ("participant,item,rating,question\na,b,3,q\na,c,3,\n", "row 3: question is empty"),
        ('participant,item,rating\na,"b,3\n', "line 2: the quoted cell that begins here does not end"),
    ],
)
def test_it_refuses_what_is_no_table_of_ratings(read, content, words):
    assert words in refusal(read, content)


def test_a_question_column_that_is_empty_throughout_is_no_question():
    questions = analyse(rows("a x 3\nb x 4").assign(question="")).questions
    assert list(questions) == [""]


def test_it_says_which_file_cannot_be_read(tmp_path):
    with pytest.raises(TableError, match=r"nowhere\.csv: cannot be read: No such file"):
        read_ratings(tmp_path / "nowhere.csv")


def test_it_keeps_and_reports_repeated_rows(read):
    ratings = read("participant,item,rating\na,b,3\na,b,4\n")
    assert len(ratings.table) == 2
    assert "1 row repeats" in ratings.notes["repeated_rows"]


def test_repeats_without_numbers_are_counted_in_the_order_given():
    ratings = code(check(rows("a x 3\nb x 1\na x 4\na y 2")).table)
    assert ratings.repeat.tolist() == [1, 1, 2, 1]


def test_a_column_repetition_is_understood_as_repeat(read):
    ratings = read("participant,item,rating,repetition\na,x,3,2\na,x,4,1\n")
    assert code(ratings.table).repeat.tolist() == [2, 1]


def test_only_the_main_phase_counts():
    table = rows("a x 3\na y 4\na z 5").assign(phase=["main", "gold", ""])
    assert main_phase(check(table).table)["rating"].tolist() == [3, 5]


def test_categories_give_the_same_analysis_as_text():
    table = study()
    as_categories = table.astype({"participant": "category", "item": "category", "rating": "int8"})
    pd.testing.assert_frame_equal(analyse(table).mos, analyse(as_categories).mos)


def test_the_hash_does_not_depend_on_the_order_of_rows_but_on_each_rating():
    table = study()
    shuffled = table.sample(frac=1, random_state=1)
    changed = table.assign(rating=table["rating"].where(table.index != 7, table["rating"] % 5 + 1))
    assert data_hash(check(table).table) == data_hash(check(shuffled).table)
    assert data_hash(check(table).table) != data_hash(check(changed).table)
