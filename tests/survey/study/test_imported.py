"""Ratings made elsewhere as a study: its results are those of the file, and nobody can take part."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse

from survey.access.errors import DeskError
from survey.analysis import analyse, read_ratings
from survey.analysis.reading.options import parse_options
from survey.models import Study
from survey.results.collect import collect
from survey.study.lifecycle import set_state
from tests.survey.factories import picture

pytestmark = pytest.mark.django_db

WIDE = "picture;layer;" + ";".join(f"P{n:02d}" for n in range(1, 46)) + "\n" + "".join(
    f"layer {i};{i};" + ";".join("" if i == 2 and n == 7 else str(1 + (n * i + n // 3) % 5) for n in range(45)) + "\n"
    for i in range(1, 8)
)  # fmt: skip


def run(folder: Path, text: str, slug: str = "elsewhere", **options: str) -> str:
    path = folder / "ratings.csv"
    path.write_text(text, encoding="utf-8")
    out = StringIO()
    call_command("import_ratings", slug, str(path), stdout=out, **options)
    return out.getvalue()


def same_as_file(folder: Path, **options: str) -> None:
    export = collect(Study.objects.get())
    ratings = read_ratings(folder / "ratings.csv", parse_options(**options))
    pd.testing.assert_frame_equal(export.analysis.mos, analyse(ratings).mos, check_dtype=False)
    pd.testing.assert_frame_equal(export.analysis.observers, analyse(ratings).observers, check_dtype=False)


@pytest.mark.slow
def test_a_wide_sheet_becomes_a_study_with_the_files_results(tmp_path):
    said = run(tmp_path, WIDE)
    assert "314 imported ratings of 7 items by 45 participants" in said
    assert "Note: a wide table: 7 items in rows by 45 participants" in said
    study = Study.objects.get()
    assert (study.is_imported, study.state, study.title) == (True, "closed", "ratings")
    assert study.stimuli.get(item="layer 3").factors == {"layer": 3}
    same_as_file(tmp_path)


def test_simulated_ratings_stay_simulated(tmp_path):
    rows = [f"{p},{i},{1 + (n + len(p)) % 5}" for p in ("a", "bb") for n, i in enumerate("xyz")]
    text = "participant,item,rating,simulated\n" + "".join(f"{row},{row[0] == 'a'}\n" for row in rows)
    assert "Partly simulated: a program made the ratings of 1 of 2 participants" in run(tmp_path, text)
    study = Study.objects.get()
    assert study.is_simulated
    assert set(study.participants.filter(is_simulated=True).values_list("code", flat=True)) == {"a"}
    export = collect(study)
    assert export.ratings.groupby("participant", observed=True)["simulated"].first().to_dict() == {
        "a": True,
        "bb": False,
    }
    assert export.kind == "Partly simulated ratings. "


def test_an_item_that_nobody_rated_is_named(tmp_path):
    said = run(tmp_path, "participant,item,rating\np,a,1\np,b,5\np,c,\nq,a,2\nq,b,4\nq,c,\n")
    assert "Note: 1 item without any rating (c): it has n = 0 in the study's tables" in said
    assert set(Study.objects.get().stimuli.values_list("item", flat=True)) == {"a", "b", "c"}
    same_as_file(tmp_path)
    assert "without any rating" not in run(tmp_path, WIDE, "other")


@pytest.mark.slow
def test_questions_repeats_and_conditions_are_kept(tmp_path):
    text = "participant,item,Quality of it,appeal,condition\n" + "".join(
        f"someone with a long name {p},i{i},{1 + (p + i + t) % 5},{1 + (p * i + t) % 5},c{i % 2}\n"
        for p in range(4)
        for t in range(2)
        for i in range(3)
    )
    options = {"columns": "rating=Quality of it+appeal"}
    run(tmp_path, text, **options)
    study = Study.objects.get()
    assert list(study.questions.values_list("key", "text")) == [
        ("quality_of_it", "Quality of it"),
        ("appeal", "appeal"),
    ]
    assert study.participants.first().trials.count() == 6
    export = collect(study)
    file = analyse(read_ratings(tmp_path / "ratings.csv", parse_options(**options)))
    assert export.analysis.questions["appeal"].mos.equals(file.questions["appeal"].mos)
    assert export.analysis.questions["quality_of_it"].mos.equals(file.questions["Quality of it"].mos)
    ours, theirs = export.analysis.questions["appeal"].conditions, file.questions["appeal"].conditions
    assert ours is not None
    assert theirs is not None
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)


@pytest.mark.slow
def test_positions_references_and_expected_answers_are_kept(tmp_path):
    text = (
        "participant,item,question,question_scale,rating,position,reference,expected,phase\n"
        "p,a,quality,1:7,7,3,ref,6,main\np,a,liking,0:100,62.5,3,ref,,main\n"
        "p,b,quality,1:7,2,1,a,,main\np,b,liking,0:100,5,1,a,,main\n"
        "q,a,quality,1:7,5,9,ref,6,main\nq,a,liking,0:100,50,9,ref,,main\n"
    )
    run(tmp_path, text)
    study = Study.objects.get()
    assert [(q.key, str(q.scale)) for q in study.questions.all()] == [("quality", "1:7"), ("liking", "0:100")]
    rows = collect(study).ratings
    kept = rows[["participant", "item", "question", "rating", "position", "reference"]].astype(str)
    assert sorted(kept.itertuples(index=False, name=None)) == [
        ("p", "a", "liking", "62.5", "3", "ref"),
        ("p", "a", "quality", "7.0", "3", "ref"),
        ("p", "b", "liking", "5.0", "1", "a"),
        ("p", "b", "quality", "2.0", "1", "a"),
        ("q", "a", "liking", "50.0", "9", "ref"),
        ("q", "a", "quality", "5.0", "9", "ref"),
    ]
    assert rows[rows["question"] == "quality"].set_index(["participant", "item"])[
        "expected"
    ].dropna().to_dict() == {
        ("p", "a"): 6,
        ("q", "a"): 6,
    }
    assert study.stimuli.get(item="ref").trials.count() == 0


@pytest.mark.parametrize("positions", ["1,1", "0,1", "1.5,2", "x,2", ",2"])
def test_positions_that_are_none_give_way_to_the_order_of_the_file(tmp_path, positions):
    first, second = positions.split(",")
    run(tmp_path, f"participant,item,rating,position\np,a,3,{first}\np,b,4,{second}\n")
    assert list(collect(Study.objects.get()).ratings["position"]) == [1, 2]


def test_images_are_found_by_name(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    picture(1).save(images / "a.png")
    picture(2).save(images / "b.jpg")
    run(tmp_path, "participant,item,rating\np,a,3\np,out/b.jpg,4\n", images=images)
    assert set(Study.objects.get().stimuli.values_list("item", "width")) == {
        ("a", picture(1).width),
        ("out/b.jpg", picture(2).width),
    }
    with pytest.raises(CommandError, match="no image of item 'c'"):
        run(tmp_path, "participant,item,rating\np,a,3\np,c,4\n", slug="other", images=images)


def test_nobody_can_take_part(tmp_path, client, admin_client):
    run(tmp_path, "participant,item,rating\np,a,3\np,b,4\nq,a,2\nq,b,5\n")
    study = Study.objects.get()
    assert client.get(reverse("participant", args=[study.slug])).status_code == 404
    with pytest.raises(DeskError, match="made elsewhere"):
        set_state(study, Study.State.OPEN, None)
    page = admin_client.get(reverse("results", args=[study.slug]))
    assert page.status_code == 200
    assert "Imported: these ratings were made elsewhere" in page.content.decode()


def test_people_of_any_name_are_left_out_and_deleted(tmp_path, admin_client):
    run(tmp_path, "participant,item,rating\nJosé 1/2,a,3\nJosé 1/2,b,4\n=1+1,a,2\n=1+1,b,5\n")
    study = Study.objects.get()
    page = admin_client.get(reverse("participants", args=[study.slug])).content.decode()
    first, second = study.participants.all()
    leave_out, delete = (
        reverse("exclude", args=[study.slug, first.pk]),
        reverse("withdraw_participant", args=[study.slug, second.pk]),
    )
    assert f'action="{leave_out}"' in page
    admin_client.post(leave_out, {"reason": "a test"})
    admin_client.post(delete, {"typed": second.code})
    assert [(person.code, person.exclusions.count()) for person in study.participants.all()] == [
        ("José 1/2", 1)
    ]


@pytest.mark.parametrize("names", [["качество"], ["=", "Style"], ["質", "量"]])
def test_questions_in_any_script_are_kept(tmp_path, names):
    rows = "".join(f"p,{item},{name},3\n" for item in "ab" for name in names)
    run(tmp_path, f"participant,item,question,rating\n{rows}")
    numbered = [(f"question_{number}", name) for number, name in enumerate(names, 1)]
    assert list(Study.objects.get().questions.values_list("key", "text")) == numbered


@pytest.mark.parametrize(
    ("text", "options", "fault"),
    [
        ("participant,item,rating\np,a,7\n", {}, "rating 7 is not a whole number"),
        ("participant,item,rating\np,a,7\n", {"scale": "0:1e15"}, "a study's scale lies within"),
        ("item,mos,n\na,3.5,4\n", {}, "a table of means; raw ratings are needed"),
        ("participant,item,rating,condition\np,a,3,x\np,a,4,y\n", {}, r"item 'a' has several values of 'condition'.*item=item\+condition"),
        ("participant,item,rating\np,a,3\n", {"wide": "up"}, "--wide"),
    ],
)  # fmt: skip
def test_what_is_no_study_is_refused_and_nothing_stays(tmp_path, text, options, fault):
    with pytest.raises(CommandError, match=fault) as caught:
        run(tmp_path, text, **options)
    assert caught.value.returncode == 2
    assert not Study.objects.exists()
