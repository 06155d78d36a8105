"""One table of ratings, written in every form that people have: read back equal, or refused with the reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from survey.analysis import Ratings, TableError, analyse, read_ratings
from survey.analysis.reading.options import OptionError, parse_options

PEOPLE = [f"P{n:02d}" for n in range(1, 7)]
ITEMS = [f"img{n:02d}" for n in range(1, 6)]
VALUES = {(p, i): 1 + (3 * a + 2 * b + a * b) % 5 for a, p in enumerate(PEOPLE) for b, i in enumerate(ITEMS)}
LABELS = {1: "Bad", 2: "Poor", 3: "Fair", 4: "Good", 5: "Excellent"}


@pytest.fixture
def read(tmp_path: Path):
    def read(content: str, written: str = "utf-8", **options: str) -> Ratings:
        path = tmp_path / "ratings.csv"
        path.write_bytes(content.encode(written))
        return read_ratings(path, parse_options(**options))

    return read


def cells(ratings: Ratings) -> dict[tuple[str, str], float]:
    table = ratings.table
    assert not table.duplicated(["participant", "item"]).any()
    return dict(
        zip(
            zip(table["participant"].astype(str), table["item"].astype(str), strict=True),
            table["rating"],
            strict=True,
        )
    )


def long(header: str = "participant,item,rating", rating=str, delimiter: str = ",") -> str:
    lines = [f"{p},{i},{rating(v)}" for (p, i), v in VALUES.items()]
    return "\n".join([header, *lines]).replace(",", delimiter) + "\n"


def wide(rows: list[str], columns: list[str], corner: str, delimiter: str = ",") -> str:
    def value(row: str, column: str) -> int:
        return VALUES.get((row, column)) or VALUES[(column, row)]

    lines = [[corner, *columns]] + [[row, *(str(value(row, column)) for column in columns)] for row in rows]
    return "\n".join(delimiter.join(line) for line in lines) + "\n"


LONG_FORMS = {
    "semicolons": long(delimiter=";"),
    "tabs": long(delimiter="\t"),
    "bars": long(delimiter="|"),
    "carets": long(delimiter="^"),
    "blanks": long(delimiter=" "),
    "aligned": long(delimiter="   "),
    "sep line": "sep=;\n" + long(delimiter=";"),
    "quoted sep line": '"sep=,"\r\n' + long(),
    "preamble": "Study of wines\nMade on,2024-03-01\n\n" + long(),
    "comments": "# a comment, with commas\n# another\n" + long(),
    "decimal commas in quotes": long(rating=lambda v: f'"{v},0"'),
    "semicolons, decimal commas": long(rating=lambda v: f"{v}.0").replace(",", ";").replace(".0", ",0"),
    "synonyms": long("worker_id,image_name,score"),
    "camel case": long("WorkerId,ImageName,Score"),
    "shouted": long("PARTICIPANT,ITEM,RATING"),
    "German": long("Versuchsperson,Bild,Bewertung"),
    "labels": long(rating=LABELS.get),
    "labels, any case": long(rating=lambda v: LABELS[v].upper()),
    "numbers and labels": long(rating=lambda v: f"{v} - {LABELS[v]}"),
    "labels and numbers": long(rating=lambda v: f"{LABELS[v]} ({v})"),
    "shares": long(rating=lambda v: f"{v}/5"),
    "stars": long(rating=lambda v: "★" * v + "☆" * (5 - v)),
    "stars alone": long(rating=lambda v: "⭐️" * v),
    "star words": long(rating=lambda v: f"{v} stars"),
    "full-width digits": long(rating=lambda v: chr(0xFF10 + v)),
    "noise": long(rating=lambda v: f"{v}.0000000001"),
    "noise below": long(rating=lambda v: f"{v - 1}.9999999"),
    "row names": "\n".join(
        f"{n}{line}" for n, line in zip(["", *(f'"{n}",' for n in range(1, 31))], long().splitlines(), strict=True)
    ),
    "an index": "\n".join(f"{n},{line}" for n, line in zip(["", *range(30)], long().splitlines(), strict=True)),
    "trailing delimiters": long().replace("\n", ",\n"),
    "single quotes": long("'participant','item','rating'", rating=lambda v: f"'{v}'").replace("P0", "'P0").replace(
        ",img", "',img"
    ).replace(",img", ",'img").replace(",'1'", "','1'").replace(",'2'", "','2'").replace(",'3'", "','3'").replace(
        ",'4'", "','4'"
    ).replace(",'5'", "','5'"),
    "a mean row": long() + "Mean,,3.2\n",
    "joined": long() + "participant,item,rating\n",
}  # fmt: skip


@pytest.mark.parametrize("form", LONG_FORMS)
def test_a_long_table_is_read_in_any_form(read, form):
    assert cells(read(LONG_FORMS[form])) == VALUES


WIDE_FORMS = {
    "items in rows": wide(ITEMS, PEOPLE, "item"),
    "participants in rows": wide(PEOPLE, ITEMS, "participant"),
    "no name in the corner": wide(ITEMS, PEOPLE, ""),
    "participants, no name in the corner": wide(PEOPLE, ITEMS, ""),
    "semicolons": wide(ITEMS, PEOPLE, "Bild", ";"),
    "tabs": wide(PEOPLE, ITEMS, "subject", "\t"),
    "a mean row": wide(ITEMS, PEOPLE, "item") + "Mean,2.4,3,2.8,3.2,3,2.8\n",
    "a total row": wide(PEOPLE, ITEMS, "participant") + "Total,19,18,17,16,15\n",
}


@pytest.mark.parametrize("form", WIDE_FORMS)
def test_a_wide_table_is_read_either_way(read, form):
    ratings = read(WIDE_FORMS[form])
    assert cells(ratings) == VALUES
    assert "wide" in ratings.notes


def test_columns_of_means_and_further_columns_are_no_participants(read):
    lines = wide(ITEMS, PEOPLE, "item").splitlines()
    text = "\n".join(
        [
            f"{lines[0]},Mean,SD,condition,layer",
            *(f"{line},3.0,1.2,c{n % 2},{n % 2 + 1}" for n, line in enumerate(lines[1:])),
        ]
    )
    ratings = read(text)
    assert cells(ratings) == VALUES
    assert ratings.table.groupby("item", observed=True)["condition"].first().tolist() == [
        "c0",
        "c1",
        "c0",
        "c1",
        "c0",
    ]
    assert ratings.table["layer"].tolist()[:1] == [1]
    assert "layer" in ratings.notes["not_ratings_by_name"]


@pytest.mark.parametrize("corner", ["", "name"])
def test_a_wide_table_whose_direction_does_not_show_is_refused(read, corner):
    text = f"{corner},anna,ben\nmoon,1,2\nsun,3,4\n"
    with pytest.raises(TableError, match="add --wide items or --wide participants"):
        read(text)
    assert cells(read(text, wide="items")) == {
        ("anna", "moon"): 1,
        ("ben", "moon"): 2,
        ("anna", "sun"): 3,
        ("ben", "sun"): 4,
    }
    assert cells(read(text, wide="participants"))[("sun", "ben")] == 4


@pytest.mark.parametrize("shape", ["{q}_{i}", "{i}_{q}", "{q}.{i}", "{i} - {q}", "{q} [{i}]"])
def test_groups_of_columns_are_questions(read, shape):
    heads = [shape.format(q=q, i=i) for i in ("img1", "img2", "img3") for q in ("quality", "appeal")]
    text = "participant," + ",".join(heads) + "\nA,1,5,2,4,3,3\nB,2,4,3,3,4,2\n"
    table = read(text).table
    assert table["question"].cat.categories.tolist() == ["appeal", "quality"]
    assert table[table["question"] == "quality"].set_index(["participant", "item"])["rating"].to_dict() == {
        ("A", "img1"): 1, ("A", "img2"): 2, ("A", "img3"): 3, ("B", "img1"): 2, ("B", "img2"): 3, ("B", "img3"): 4,
    }  # fmt: skip


def test_a_header_of_two_lines_names_questions_and_items(read):
    text = "participant,quality,,,appeal,,\n,img1,img2,img3,img1,img2,img3\nA,1,2,3,5,4,3\nB,2,3,4,4,3,2\n"
    table = read(text).table
    assert table.set_index(["question", "participant", "item"])["rating"][("appeal", "A", "img2")] == 4
    assert len(table) == 12


def test_several_rating_columns_are_questions(read):
    text = "judge,wine,Score,Appeal\nA,x,1,5\nA,y,2,4\nB,x,3,3\n"
    table = read(text, columns="item=wine,rating=Score+Appeal").table
    assert table["question"].tolist() == ["Score", "Appeal"] * 3
    assert table["rating"].tolist() == [1, 5, 2, 4, 3, 3]
    with pytest.raises(TableError, match=r"no column 'item'.*found: judge, wine"):
        read(text)


def test_a_file_without_a_header_has_columns_by_number(read):
    text = "\n".join(long().splitlines()[1:])
    assert cells(read(text, header="none", columns="participant=1,item=2,rating=3")) == VALUES
    with pytest.raises(TableError, match="--header none"):
        read(text)


def test_a_bare_matrix_is_items_by_participants(read):
    ratings = read("5,4,nan\n1,2,3\n")
    assert cells(ratings) == {
        ("participant 1", "item 1"): 5, ("participant 2", "item 1"): 4, ("participant 1", "item 2"): 1,
        ("participant 2", "item 2"): 2, ("participant 3", "item 2"): 3,
    }  # fmt: skip


def test_identifier_lines_of_qualtrics_are_no_participants(read):
    text = (
        "StartDate,EndDate,Status,IPAddress,Progress,Duration (in seconds),Finished,ResponseId,UserLanguage,Q1_1,Q1_2\n"
        'Start Date,End Date,Response Type,IP Address,Progress,Duration,Finished,Response ID,User Language,"How good, '
        'really?\nimg one","How good?\nimg two"\n'
        + ",".join(f'"{{""ImportId"":""{n}""}}"' for n in range(11))
        + "\n2024-01-01,2024-01-01,0,1.2.3.4,100,300,1,R_1,EN,4,5\n2024-01-02,2024-01-02,0,1.2.3.5,100,3,1,R_2,EN,2,1\n"
    )
    assert cells(read(text)) == {
        ("R_1", "Q1_1"): 4,
        ("R_1", "Q1_2"): 5,
        ("R_2", "Q1_1"): 2,
        ("R_2", "Q1_2"): 1,
    }


def test_a_google_form_has_one_row_a_person(read):
    text = (
        '"Timestamp","Rate the picture [cat]","Rate the picture [dog]"\n'
        '"2024/03/01 9:00:00 AM GMT+1","5 - Excellent","2"\n"2024/03/01 9:05:00 AM GMT+1","3","1 - Bad"\n'
    )
    ratings = read(text)
    assert cells(ratings) == {
        ("participant 1", "cat"): 5, ("participant 1", "dog"): 2, ("participant 2", "cat"): 3, ("participant 2", "dog"): 1,
    }  # fmt: skip
    assert "no column names the participants" in ratings.notes["row_names"]


def test_a_participant_may_be_called_na_and_an_item_anything(read):
    names = [
        "NA",
        "null",
        "nan",
        "None",
        "N/A",
        "-",
        "007",
        "7",
        "123456789012345678",
        "2024-01-01",
        "=1+1",
        "TRUE",
        "1e5",
    ]
    text = "participant,item,rating,condition\n" + "".join(
        f"{name},{name},{n % 5 + 1},{name}\n" for n, name in enumerate(names)
    )
    table = read(text).table
    for column in ("participant", "item", "condition"):
        assert sorted(table[column].astype(str)) == sorted(names)


@pytest.mark.parametrize("code", ["", "NA", "N/A", "n/a", "NaN", "None", "null", "-", ".", "–", "#N/A", " "])
def test_missing_codes_belong_to_the_rating(read, code):
    ratings = read(f"participant,item,rating\na,x,{code}\na,y,3\n")
    assert ratings.left_out == {"empty rating": 1}
    assert ratings.unrated["item"].tolist() == ["x"]


def test_further_missing_codes_are_named(read):
    text = "participant,item,rating\na,x,-1\na,y,3\nb,x,99\nb,y,4\n"
    assert len(read(text, missing="-1,99").table) == 2
    with pytest.raises(TableError, match="row 2: rating -1 is not a whole number from 1 to 5"):
        read(text)


def test_another_scale_is_named(read):
    text = "participant,item,rating\na,x,0\na,y,62.5\nb,x,100\n"
    with pytest.raises(TableError, match="--scale 0:100"):
        read(text)
    ratings = read(text, scale="0:100")
    assert ratings.table["rating"].tolist() == [0, 62.5, 100]
    assert ratings.scale.high == 100
    half = "participant,item,rating\na,x,3.5\n"
    assert read(half, scale="1:5:0.5").table["rating"].tolist() == [3.5]
    with pytest.raises(TableError, match=r"rating 3\.25 is not on the scale 1 to 5 in steps of 0\.5"):
        read(half.replace("3.5", "3.25"), scale="1:5:0.5")


@pytest.mark.parametrize("labels", [("Mauvais", "Médiocre", "Assez bon", "Bon", "Excellent"), ("Schlecht", "duerftig", "Ordentlich", "GUT", "Ausgezeichnet"), ("Mala", "Mediocre", "Aceptable", "Buena", "Excelente"), ("Very annoying", "Annoying", "Slightly annoying", "Perceptible but not annoying", "Imperceptible")])  # fmt: skip
def test_the_labels_of_every_language_are_numbers(read, labels):
    text = "participant,item,rating\n" + "".join(f"a,i{n},{label}\n" for n, label in enumerate(labels))
    assert read(text).table["rating"].tolist() == [1, 2, 3, 4, 5]


def test_labels_of_ones_own_are_listed_from_the_lowest(read):
    text = "participant,item,rating\na,x,meh\na,y,wow\nb,x,no\n"
    assert read(text, labels="no,meh,wow").table["rating"].tolist() == [2, 3, 1]
    assert read(text, labels="no,meh,wow").scale.high == 3
    with pytest.raises(TableError, match="--labels"):
        read(text)


def test_a_label_that_contradicts_its_number_is_refused(read):
    with pytest.raises(TableError, match="has the number 1, but 'Excellent' is category 5"):
        read("participant,item,rating\na,x,1 - Excellent\na,y,5 - Bad\n")


@pytest.mark.parametrize(("rating", "fault"), [("4/10", "is out of 10"), ("★★★★★★", "shows 6 stars"), ("4 ms", "not a whole"), ("3.0001", r"3\.0001"), ("2,5", "2,5")])  # fmt: skip
def test_what_is_no_rating_of_the_scale_is_shown_in_full(read, rating, fault):
    with pytest.raises(TableError, match=fault):
        read(f'participant,item,rating\na,x,"{rating}"\n')


@pytest.mark.parametrize("column", ["Question", "QUESTION", "dimension", "Frage"])
def test_a_question_is_found_by_any_name(read, column):
    text = f"participant,item,rating,{column}\na,x,1,quality\na,x,5,annoyance\n"
    ratings = read(text)
    assert ratings.table["question"].tolist() == ["quality", "annoyance"]
    assert column in ratings.notes["columns"]


def test_columns_not_used_are_listed_and_those_of_items_kept(read):
    text = "participant,item,rating,ratio,age,comment\na,x,1,0.5,30,ok\na,y,2,2,30,\nb,x,3,0.5,41,no\nb,y,3,2,41,\n"
    ratings = read(text)
    assert ratings.table["ratio"].tolist() == [0.5, 2, 0.5, 2]
    assert ratings.notes["unused_columns"] == "columns not used: age, comment"
    assert "age" not in ratings.table


def test_two_columns_for_one_thing_are_refused(read):
    text = "subject,observer,item,rating\na,b,x,1\n"
    with pytest.raises(TableError, match="'subject' and 'observer' could each be the participant"):
        read(text)
    assert cells(read(text, columns="participant=observer")) == {("b", "x"): 1}


@pytest.mark.parametrize(
    ("times", "milliseconds"),
    [
        (["3450 ms", "1 ms"], [3450, 1]),
        (["3.45 s", "2s"], [3450, 2000]),
        (["3,45 sec", "2 min"], [3450, 120_000]),
        (["00:03.4", "1:00:00"], [3400, 3_600_000]),
        (["3450", "NA"], [3450, np.nan]),
        (["3450", "soon"], [3450, np.nan]),
    ],
)
def test_times_have_units(read, times, milliseconds):
    text = "participant,item,rating,rt_ms\n" + "".join(f'a,i{n},3,"{time}"\n' for n, time in enumerate(times))
    ratings = read(text)
    np.testing.assert_array_equal(ratings.table["rt_ms"], milliseconds)
    assert ("rt_ms" in ratings.notes) == (times[0] != "3450" or times[1] == "soon")


def test_a_time_without_a_unit_cannot_be_judged(read):
    ratings = read("participant,item,rating,reaction_time\na,x,3,2.5\n")
    assert ratings.table["rt_ms"].isna().all()
    assert "cannot be judged" in ratings.notes["rt_ms"]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_encodings_are_found_out(read, encoding):
    ratings = read("participant,item,rating\nJosé,Bär,4\n", encoding)
    assert cells(ratings) == {("José", "Bär"): 4}
    assert ("encoding" in ratings.notes) == (encoding == "cp1252")


@pytest.mark.parametrize(("name", "encoding"), [("画像", "shift_jis"), ("ネコ", "shift_jis"), ("Москва", "cp1251"), ("Bäckerei", "mac_roman"), ("Größe", "cp850"), ("中", "gb18030")])  # fmt: skip
def test_bytes_that_may_mean_several_things_are_refused(read, name, encoding):
    text = f"participant,item,rating\na,{name},4\n"
    with pytest.raises(TableError, match="--encoding"):
        read(text, encoding)
    assert cells(read(text, encoding, encoding=encoding)) == {("a", name): 4}


def test_a_wrong_encoding_is_refused(read):
    with pytest.raises(TableError, match="line 2: byte 0xe4 is not utf-8"):
        read("participant,item,rating\na,Bär,4\n", "cp1252", encoding="utf-8")
    with pytest.raises(TableError, match="no encoding that Python knows"):
        read("participant,item,rating\na,b,4\n", encoding="latin-99")


@pytest.mark.parametrize(
    ("first", "second"), [('"img01', '"img02'), ('"img01', 'img02"'), ('"img01', "img02")]
)
def test_stray_quotes_are_refused_where_they_begin(read, first, second):
    lines = long().splitlines()
    lines[3] = lines[3].replace("img03", first)
    lines[12] = lines[12].replace("img02", second)
    with pytest.raises(TableError, match="line 4: the quoted cell that begins here"):
        read("\n".join(lines))


def test_a_quoted_cell_of_several_lines_is_one_cell(read):
    ratings = read('participant,item,rating,comment\na,x,3,"good,\nvery good"\na,y,4,""\n')
    assert cells(ratings) == {("a", "x"): 3, ("a", "y"): 4}


def test_names_in_unicode_forms_are_one_and_look_alikes_are_noted(read):
    composed, decomposed = "B\u00e4r", "Ba\u0308r"
    names = [composed, decomposed, "IMG 1", "img1", "zoe", "zo\u200be", "01", "1"]
    text = "participant,item,rating\n" + "".join(f"p{n},{name},3\n" for n, name in enumerate(names))
    ratings = read(text)
    assert ratings.table["item"].nunique() == 7
    assert "2 Unicode forms" in ratings.notes["item_unicode"]
    assert all(
        name in ratings.notes["item_alike"] for name in ("'IMG 1' and 'img1'", "'01' and '1'", "zo\\u200be")
    )


def test_names_with_blanks_around_them_are_one_and_noted(read):
    ratings = read("participant,item,rating\na,x,3\nb,x\u00a0,4\n")
    assert ratings.table["item"].nunique() == 1
    assert "with and without blanks" in ratings.notes["item_blanks"]


def test_a_row_with_too_many_or_too_few_cells_is_told(read):
    with pytest.raises(TableError, match="row 3 has more cells than the header in row 1"):
        read("participant,item,rating\na,x,3\na,y,3,5\n")
    assert "row 3" in read("participant,item,rating\na,x,3\na,y\n").notes["short_rows"]


def test_a_file_joined_to_itself_is_read_once(read):
    for text in (long() + long(), long() + long().split("\n", 1)[1]):
        ratings = read(text)
        assert cells(ratings) == VALUES
        assert "the same 30 rows twice" in ratings.notes["file_repeated"]


def test_copies_and_second_ratings_are_told_apart(read):
    text = "participant,item,rating,time\na,x,3,1\na,y,4,2\na,y,4,2\nb,x,3,3\nb,x,5,4\n"
    notes = read(text).notes
    assert notes["identical_rows"].startswith("1 row is equal to an earlier row in every column (row 4)")
    assert (
        "row repeats a participant and item (row 6): 1 participant rates an item again"
        in notes["repeated_rows"]
    )


@pytest.mark.parametrize(
    "options",
    [{"columns": "participant"}, {"columns": "person=a"}, {"columns": "item=a,item=b"}, {"wide": "yes"}, {"scale": "5"},
     {"labels": "a"}, {"labels": "a,b", "scale": "1:5"}, {"header": "2"}],
)  # fmt: skip
def test_an_option_that_cannot_be_understood_is_refused(options):
    with pytest.raises(OptionError, match=f"--{next(iter(options))}"):
        parse_options(**options)


def test_an_item_without_any_rating_keeps_its_row_in_a_wide_table_too(read):
    text = "item,phase,P1,P2\nx,main,1,2\ny,main,,NA\nz,practice,,\n"
    ratings = read(text)
    assert ratings.unrated["item"].tolist() == ["y"]
    assert analyse(ratings).mos.set_index("item")["n"].to_dict() == {"x": 2, "y": 0}


def test_answers_that_are_no_ratings_are_left_out_by_question(read):
    text = "user_ID,stimuli_ID,rating_type,rating\n1,-1,registered,-1\n" + "".join(
        f"{user},{item},{kind},{value}\n"
        for user in (1, 2)
        for item in ("a", "b")
        for kind, value in (
            ("range_appeal", user + 1),
            ("window_width", 1920),
            ("started", "2023-01-01 10:00"),
        )
    )
    ratings = read(text)
    assert ratings.table["question"].unique().tolist() == ["range_appeal"]
    assert cells(ratings) == {("1", "a"): 2, ("1", "b"): 2, ("2", "a"): 3, ("2", "b"): 3}
    assert "registered, started, window_width" in ratings.notes["other_answers"]


def test_a_column_that_tells_repeated_ratings_apart_is_named(read):
    text = "subject,pvs_id,context,rating\n" + "".join(
        f"S{s},v{v},{context},{1 + (s + v + (context == 'pc')) % 5}\n"
        for s in (1, 2) for v in (1, 2) for context in ("pc", "mobile")
    )  # fmt: skip
    ratings = read(text)
    assert "once for each value of column 'context'" in ratings.notes["told_apart"]
    assert "identical_rows" not in ratings.notes
    separate = read(text, columns="item=pvs_id+context")
    assert separate.table["item"].nunique() == 4
    assert "told_apart" not in separate.notes


def test_a_wide_table_of_another_scale_is_refused_with_its_range(read):
    text = ",Subject1,Subject2,Subject3\nclip_a,7,30,-1\nclip_b,63,22,40\n"
    with pytest.raises(TableError, match=r"hold numbers from -1 to 63.*--scale LOW:HIGH"):
        read(text)
    assert len(read(text, scale="0:100", missing="-1").table) == 5


def test_data_in_place_of_a_header_is_refused(read):
    text = "20190918,1136845,5,1.05,G10Panda,crf10\n20190919,922864,4,0.77,G10Panda,QP22\n"
    with pytest.raises(TableError, match=r"row 1 has no column names .*--header none"):
        read(text)


def test_what_programs_write_beside_the_ratings_is_no_rating(read):
    lines = wide(ITEMS, PEOPLE, "item").splitlines()
    index = "\n".join(
        f"{number},{line}" for number, line in zip(["Unnamed: 0", *range(5)], lines, strict=True)
    )
    assert cells(read(index)) == VALUES
    text = '"Response ID","Date submitted","Last page","Start language","Q1[SQ001]","Q1[SQ002]"\n1,2024-01-01,2,en,4,5\n'
    assert cells(read(text)) == {("1", "SQ001"): 4, ("1", "SQ002"): 5}


def test_ratings_between_whole_numbers_need_a_step(read):
    with pytest.raises(TableError, match=r"--scale 1:5:0\.5"):
        read("participant,item,rating\na,x,3.5\na,y,4\n")


def test_a_row_called_x_bar_is_a_row_of_means(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("item,r1,r2\na,1,2\nb,4,4\nx\u0304,2.5,3\n", encoding="utf-8")
    ratings = read_ratings(path)
    assert sorted(ratings.table["item"].unique()) == ["a", "b"]
    assert "row 4 left out" in ratings.notes["summary_item"]


def test_rows_of_a_wide_table_may_be_named_by_two_columns(read):
    rows = [f"{s},{m},{a},{b}" for (s, m), a, b in zip(SCENES, (1, 2, 3, 4), (5, 4, 3, 2), strict=True)]
    ratings = read("\n".join(["Scene,Method,P1,P2", *rows]))
    assert set(ratings.table["item"].astype(str)) == {"alba_old", "alba_new", "brun_old", "brun_new"}
    assert "'Scene' and 'Method' together" in ratings.notes["row_names"]
    assert {"Scene", "Method"} <= set(ratings.table.columns)
    numbered = read("\n".join(["Scene,Take,P1,P2", "alba,1,1,5", "alba,2,2,4", "brun,1,3,3", "brun,2,4,2"]))
    assert numbered.table["item"].nunique() == 2


SCENES = [("alba", "old"), ("alba", "new"), ("brun", "old"), ("brun", "new")]


@pytest.mark.parametrize(
    "note", ["\nP03 was tired", "Note: P03 was tired", "* tired", "Quelle: eigene Daten"]
)
def test_a_note_under_the_table_is_no_item(read, note):
    ratings = read(wide(ITEMS, PEOPLE, "item") + note + "\n")
    assert cells(ratings) == VALUES
    assert ratings.unrated.empty
    assert "1 line under the table left out" in ratings.notes["footnotes"]


def test_an_item_without_ratings_at_the_end_is_no_note(read):
    ratings = read(wide(ITEMS, PEOPLE, "item") + "img99" + "," * len(PEOPLE) + "\n")
    assert ratings.unrated["item"].tolist() == ["img99"]


@pytest.mark.parametrize("scale", ["1:5", "0:100"])
def test_all_rows_that_sum_up_are_named(read, scale):
    """On a continuous scale means and SDs could be ratings, too."""
    table = wide(ITEMS, PEOPLE, "item")
    for word, statistic in (
        ("Mean", np.mean),
        ("SD", np.std),
        ("CI95", lambda values: 1.96 * np.std(values)),
    ):
        sums = (statistic([VALUES[p, i] for i in ITEMS]) for p in PEOPLE)
        table += ",".join([word, *(f"{value:.2f}" for value in sums)]) + "\n"
    ratings = read(table, scale=scale)
    assert cells(ratings) == VALUES
    assert all(word in ratings.notes["summary_item"] for word in ("'Mean'", "'SD'", "'CI95'"))
