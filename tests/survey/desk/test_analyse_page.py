"""Analyse a file at the desk: upload, preview, corrections, results; nothing stored unless it is kept as a study."""

from __future__ import annotations

import csv
import io
import re
import time
import zipfile
from typing import Any
from urllib.parse import urljoin

import pandas as pd
import pytest
import xlsxwriter
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from survey.analysis import ReadOptions, TableError, bounded, read_ratings
from survey.analysis.reading.options import parse_options
from survey.desk import ratings_files
from survey.models import Study
from tests.survey.desk.conftest import client_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

PEOPLE, ITEMS = 6, ("cat <b>", "dog", "fox")
RATINGS = [(f"P{p}", item, 1 + (p + 2 * i) % 5) for p in range(PEOPLE) for i, item in enumerate(ITEMS)]


def long(header: str = "worker,img,score", scale: int = 1) -> bytes:
    return "\n".join([header, *(f"{p},{item},{scale * r}" for p, item, r in RATINGS)]).encode()


@pytest.fixture(autouse=True)
def quick(monkeypatch, settings, tmp_path):
    """Read in this process, and keep no clock running."""
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(bounded, "read_apart", bounded.write_reading)
    monkeypatch.setattr(ratings_files, "_discard_later", lambda key: None)


def upload(desk: Client, data: bytes, name: str = "ratings.csv") -> str:
    """Upload a file and return the address of its page."""
    response = desk.post(reverse("analyse_file"), {"file": SimpleUploadedFile(name, data)})
    assert response.status_code == 302, response.content.decode()
    return str(response["Location"])


def read(desk: Client, address: str, **asked: Any) -> str:
    response = desk.get(address, asked)
    assert response.status_code == 200, response.content.decode()
    return str(response.content.decode())


def results_of(html: str) -> str:
    found = re.search(r'href="(/analyse/[^"]+/results/)"', html)
    assert found, html
    return found[1]


def rows(desk: Client, results: str, name: str = "mos") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(desk.get(f"{results}tables/{name}.csv").content.decode())))


def test_the_page_says_how_the_columns_were_understood(desk):
    html = read(desk, upload(desk, long("worker,img,score")))
    assert "18 ratings of 3 items by 6 participants" in html
    for role, name in {"participant": "worker", "item": "img", "rating": "score"}.items():
        assert f"<dt>{role}</dt><dd>{name}</dd>" in html
    assert "cat &lt;b&gt;" in html
    assert "&#x27;worker&#x27; as participant" in html


def test_no_text_of_a_file_becomes_part_of_a_page(desk):
    """In other survey programs a crafted file has run as a script in its reader's browser, by way of a warning."""
    evil = "<script>alert(1)</script>"
    lines = [f"{p}{evil},{item}{evil},{rating}" for p, item, rating in RATINGS]
    odd = [f"worker,img,score,{evil}", *(f"{line},x{evil}" for line in lines), f"mean{evil},,{evil},"]
    # It cannot be read without a choice, and the page says why.
    pages = [desk.get(upload(desk, "\n".join(odd).encode(), name=f"{evil}.csv")).content.decode()]
    sound = upload(desk, "\n".join(["worker,img,score", *lines]).encode())
    results = results_of(read(desk, sound))
    pages += [read(desk, sound), read(desk, results), read(desk, f"{results}plots/mos.svg")]
    with zipfile.ZipFile(io.BytesIO(desk.get(f"{results}download/all").content)) as archive:
        pages.append(archive.read("report.html").decode())
    for page in pages:
        assert evil not in page
    assert "&lt;script&gt;alert(1)" in pages[1]


@pytest.mark.slow
@pytest.mark.usefixtures("unrendered")
def test_the_results_are_those_of_the_command(desk, tmp_path):
    results = results_of(read(desk, upload(desk, long())))
    html = read(desk, results)
    assert "18 ratings" in html
    assert 'class="answer"' in html
    assert "<img" not in html.partition('<section id="scores">')[0]
    (tmp_path / "ratings.csv").write_bytes(long())
    call_command("analyse", str(tmp_path / "ratings.csv"), "--output", str(tmp_path / "out"))
    with zipfile.ZipFile(io.BytesIO(desk.get(f"{results}download/all").content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()
        }


@pytest.mark.slow
@pytest.mark.usefixtures("unrendered")
def test_every_address_on_the_results_pages_answers(desk):
    header = "worker,img,score,condition"
    data = "\n".join([header, *(f"{p},{item},{r},{item[:1]}" for p, item, r in RATINGS)]).encode()
    results = results_of(read(desk, upload(desk, data)))
    for view in ("", "conditions/", "reliability/", "downloads/"):
        html = read(desk, results + view)
        for address in set(re.findall(r'(?:href|src)="((?!/static|#|\?)[^"]+)"', html)):
            place = urljoin(results + view, address.replace("&amp;", "&"))
            # Drawing takes seconds: each plot's numbers come the same way.
            if not re.search(r"plots/\w+\.(svg|png|pdf)", place) or "plots/mos.svg" in place:
                assert desk.get(place).status_code == 200, (view, address)


def test_a_refusal_stands_beside_the_choice_that_puts_it_right(desk):
    address = upload(desk, long("a,b,c"))
    response = desk.get(address)
    html = response.content.decode()
    assert response.status_code == 422
    assert "no columns" in html.partition('id="id_c-participant_error"')[2].partition("</span>")[0]
    assert "say which it is by “Columns”" in html
    assert "=NAME" not in html
    assert "/analyse/" not in re.sub(r'(href|action)="[^"]*"', "", html)
    html = read(desk, address, **{"c-participant": "a", "c-item": "b", "c-rating": "c"})
    assert "18 ratings of 3 items" in html
    assert '<option value="a" selected>' in html


def test_a_scale_is_chosen_where_ratings_lie_outside(desk):
    address = upload(desk, long(scale=20))
    html = desk.get(address).content.decode()
    field = html.partition('id="id_scale_error"')[2].partition("</span>")[0]
    assert "row 2" in field
    assert "--" not in field
    html = read(desk, address, scale="0:100")
    assert rows(desk, results_of(html))[0]["mos"]
    assert read(desk, results_of(html)).count("0 to 100") == 0
    html = read(desk, address, scale="other", other_scale="0:100:20")
    assert "n100" in rows(desk, results_of(html))[0]


@pytest.mark.parametrize(
    ("data", "words", "fix"),
    [
        (
            long("Person,Bild,Note").replace(b",4", b",3.5"),
            "Read the ratings as 1 to 5 in half points",
            "scale=1%3A5%3A0.5",
        ),
        (long(scale=20), "Read the ratings as 0 to 100, any value", "scale=0%3A100"),
        (long(scale=40), "Read the ratings as 40 to 200", "scale=other&amp;other_scale=40%3A200"),
        (long() + b"\nX,dog,99\n", "Read 99 as a missing rating", "missing=99"),
    ],
)
def test_what_a_refusal_proposes_is_one_button(desk, data, words, fix):
    address = upload(desk, data)
    html = desk.get(address).content.decode()
    assert f'<a class="button" href="?{fix}">{words}</a>' in html
    assert " ratings of 3 items" in read(desk, f"{address}?{fix.replace('&amp;', '&')}")


def test_a_wide_table_with_labels_of_its_own(desk):
    names = ("nope", "meh", "ok", "fine", "wow")
    people = [f"P{p}" for p in range(PEOPLE)]
    cells = {(p, item): names[r - 1] for p, item, r in RATINGS}
    lines = [["x", *people], *([item, *(cells[p, item] for p in people)] for item in ITEMS)]
    address = upload(desk, "\n".join(";".join(line) for line in lines).encode())
    assert desk.get(address).status_code == 422
    html = read(desk, address, wide="items", labels="\n".join(names))
    assert "ratings of one participant" in html
    assert rows(desk, results_of(html))[0]["n"] == "6"
    assert ">wow</text>" in read(desk, results_of(html))


def test_means_are_named_as_what_they_are_and_their_tables_are_shown(desk):
    html = read(desk, upload(desk, b"image,MOS,std,n\na,4.2,0.5,20\nb,2.1,0.7,20\n"))
    assert "A table of 2 means" in html
    place = re.search(r'href="(/analyse/[^"]+/download/all)"', html)
    assert place
    with zipfile.ZipFile(io.BytesIO(desk.get(place[1]).content)) as archive:
        assert {"means.csv", "comparisons.csv", "summary.json", "report.html"} <= set(archive.namelist())
    assert desk.get(place[1].replace("download/all", "tables/means.csv")).status_code == 200
    assert desk.get(place[1].replace("download/all", "")).status_code == 404


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00\x01\x02\xff", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04broken", b"{", b"a", b'"open', b"\xff\xfe"],
)
def test_what_holds_no_ratings_is_refused_in_one_line(desk, data):
    response = desk.post(reverse("analyse_file"), {"file": SimpleUploadedFile("x.csv", data)}, follow=True)
    assert response.status_code == 422
    faults = re.findall(r'class="alert error"[^>]*>(?:<a [^>]*>)?([^<]+)<', response.content.decode())
    assert len(set(faults)) == 1
    assert faults[0].startswith("x.csv")


@pytest.mark.parametrize(
    "asked",
    [
        {"scale": "other", "other_scale": "7"},
        {"labels": "one"},
        {"encoding": "klingon"},
        {"c-participant": "nobody"},
        {"sheet": "first"},
        {"wide": "sideways", "scale": "0:0"},
        {"header": "on", "c-item": "9"},
    ],
)
def test_a_choice_that_cannot_be_is_refused_and_the_file_stays(desk, asked):
    address = upload(desk, long())
    response = desk.get(address, asked)
    assert response.status_code == 422
    assert 'class="alert error"' in response.content.decode()
    assert "18 ratings" in read(desk, address)


def test_nothing_is_stored_unless_it_is_kept(desk, owner, study):
    owner.groups.add(Group.objects.get(name="Researchers"))
    before = Study.objects.count()
    html = read(desk, upload(desk, long(), "My ratings.csv"))
    read(desk, results_of(html))
    assert Study.objects.count() == before
    keep = results_of(html).replace("results/", "keep/")
    assert desk.get(keep).status_code == 405
    response = desk.post(keep, {"title": "Kept"})
    kept = Study.objects.get(slug="kept")
    assert response["Location"] == reverse("setup", args=["kept"])
    assert (kept.is_imported, kept.owner, kept.state) == (True, owner, Study.State.CLOSED)
    mine = list(
        csv.DictReader(io.StringIO(desk.get(reverse("table", args=["kept", "mos"])).content.decode()))
    )
    assert [row["mos"] for row in mine] == [row["mos"] for row in rows(desk, results_of(html))]


def test_a_file_on_another_scale_is_kept_on_that_scale(desk, owner):
    owner.groups.add(Group.objects.get(name="Researchers"))
    html = read(desk, upload(desk, long(scale=20)), scale="0:100")
    desk.post(results_of(html).replace("results/", "keep/"), {"title": "x"}, follow=True)
    (question,) = Study.objects.get(slug="x").questions.all()
    assert (question.low, question.high, question.step) == (0, 100, None)


def test_a_viewer_analyses_and_keeps_nothing(desk):
    html = read(desk, upload(desk, long()))
    assert "Keep as a study</button>" not in html
    assert desk.post(results_of(html).replace("results/", "keep/"), {"title": "x"}).status_code == 404


def test_a_file_is_its_sessions_alone(desk, owner, client, django_user_model):
    address = upload(desk, long())
    results = results_of(read(desk, address))
    for other in (client_of(owner), client_of(django_user_model.objects.create_superuser("admin"))):
        assert other.get(address).status_code == 404
        assert other.get(results).status_code == 404
        assert other.post(f"{address}remove/").status_code == 404
    assert client.get(address)["Location"].startswith(reverse("sign_in"))
    read(desk, address)


def test_the_files_on_disk_are_their_owners_alone_and_go_at_sign_out(desk, tmp_path):
    read(desk, upload(desk, long()))
    files = [path for path in (tmp_path / "analyse").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o077 for path in [*files, *(tmp_path / "analyse").iterdir()]} == {0}
    desk.post(reverse("sign_out"))
    assert list((tmp_path / "analyse").iterdir()) == []


def test_a_file_is_gone_after_an_hour_and_when_it_is_deleted(desk, tmp_path, monkeypatch):
    first, second = upload(desk, long()), upload(desk, long(), "other.csv")
    results = results_of(read(desk, second))
    read(desk, results)
    desk.post(f"{first}remove/")
    assert desk.get(first).status_code == 404
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + ratings_files.SECONDS + 60)
    assert desk.get(results).status_code == 404
    assert list((tmp_path / "analyse").iterdir()) == []


@pytest.mark.slow
def test_a_session_keeps_few_files_and_few_readings(desk, tmp_path):
    addresses = [upload(desk, long(), f"{n}.csv") for n in range(ratings_files.MAX_FILES + 1)]
    assert [desk.get(address).status_code for address in addresses] == [404] + [200] * ratings_files.MAX_FILES
    for number in range(ratings_files.MAX_READINGS + 3):
        read(desk, addresses[-1], missing=f"x{number}")
    key = addresses[-1].strip("/").rpartition("/")[2]
    assert len(list((tmp_path / "analyse" / key).iterdir())) == ratings_files.MAX_READINGS + 1


def test_what_is_too_large_is_not_kept(desk, monkeypatch, tmp_path):
    monkeypatch.setattr(ratings_files, "MAX_RATINGS_FILE_BYTES", 100)
    response = desk.post(reverse("analyse_file"), {"file": SimpleUploadedFile("x.csv", long())})
    assert response.status_code == 422
    assert not (tmp_path / "analyse").exists()
    monkeypatch.setattr(ratings_files, "MAX_RATINGS_FILE_BYTES", 10_000)
    monkeypatch.setattr(ratings_files, "MAX_RATINGS", 17)
    html = read(desk, upload(desk, long()))
    assert "More ratings than a page analyses" in html
    assert "Show the results" not in html


def test_a_hostile_name_stays_inside_its_folder(desk, tmp_path):
    address = upload(desk, long(), "../../<x>\u202e.csv")
    html = read(desk, address)
    assert "<x>" not in html
    assert len(list((tmp_path / "analyse").rglob("*.csv"))) == 1


class TestApart:
    """The process that reads."""

    @pytest.fixture(autouse=True)
    def own(self, quick, monkeypatch):
        monkeypatch.undo()

    def test_it_reads_what_the_reader_reads(self, tmp_path):
        path, out = tmp_path / "r.csv", tmp_path / "out"
        path.write_bytes(long() + b"\nP0,bear,")
        out.mkdir()
        bounded.read_apart(path, out, ReadOptions())
        told, meant = bounded.load_reading(out).ratings(), read_ratings(path)
        pd.testing.assert_frame_equal(told.table, meant.table, check_categorical=False)
        assert told.unrated.to_dict() == meant.unrated.to_dict()
        assert (told.notes, told.scale, told.rows_in, told.left_out) == (
            meant.notes,
            meant.scale,
            meant.rows_in,
            meant.left_out,
        )

    def test_each_question_may_have_a_scale(self, tmp_path):
        path = tmp_path / "r.csv"
        path.write_text("participant,item,quality,liking\np,a,7,80\np,b,2,12.5\n")
        options = parse_options(columns="rating=quality+liking", scale="quality=1:7,liking=0:100")
        bounded.read_apart(path, tmp_path, options)
        told = bounded.load_reading(tmp_path).ratings()
        assert {name: str(told.scale_of(name)) for name in options.scales} == {
            "quality": "1:7",
            "liking": "0:100",
        }
        assert sorted(told.table["rating"]) == [2, 7, 12.5, 80]

    @pytest.mark.slow
    def test_a_workbook_that_asks_for_gigabytes_ends_its_own_process(self, tmp_path):
        with xlsxwriter.Workbook(tmp_path / "bomb.xlsx") as book:
            sheet = book.add_worksheet()
            sheet.write("A1", "item")
            sheet.write("XFD6000", 1)
        with pytest.raises(TableError, match="takes more than 1500 MB"):
            bounded.read_apart(tmp_path / "bomb.xlsx", tmp_path, ReadOptions(), megabytes=1500)


@pytest.mark.slow
def test_a_file_has_the_panels_and_levels_of_a_study(desk):
    """Two raters of twenty answer at random: the screened panel leaves them out, and a level keeps its own items."""
    items = [f"image-{k}" for k in range(12)]
    lines = ["worker,img,score,sauce"]
    for p in range(20):
        for k, item in enumerate(items):
            near = min(5, max(1, 1 + k * 4 // 11 + (p + k) % 3 - 1))
            value = near if p > 1 else 5 - near + 1
            lines.append(f"P{p},{item},{value},{'sweet' if k % 2 else 'hot'}")
    results = results_of(read(desk, upload(desk, "\n".join(lines).encode())))
    html = read(desk, results)
    for label in ("Participants", "95 % interval", "Items"):
        assert re.search(rf'<label for="switch-\w+">{label}</label>', html), label
    assert "20 people gave 240 ratings, 20 for each of 12 items" in html
    words = re.sub(r"image-\d+|<[^>]*>", "", html.partition("<main")[2].partition("<footer")[0])
    assert not re.search(r"\bimages?\b", words.partition("Tables")[0], re.IGNORECASE), "a file has items"
    assert "18 people gave 216 ratings" in read(desk, results, panel="screened")
    hot = read(desk, results, only="sauce=hot")
    assert "120 ratings, 20 for each of 6 items" in hot
    assert "image-1<" not in hot
    sent = desk.get(f"{results}tables/mos.csv", {"panel": "model"}).content.decode()
    assert {row["ci_method"] for row in csv.DictReader(io.StringIO(sent))} == {"model"}


def test_a_column_group_may_tell_of_items(desk):
    groups = {"ape": "old", "bear": "old", "cat": "new"}
    lines = [
        "participant,item,rating,group",
        *(f"{p},{item},{r},{groups[item]}" for p in "pq" for item, r in zip(groups, "345", strict=True)),
    ]
    html = read(desk, results_of(read(desk, upload(desk, "\n".join(lines).encode()))), only="group=old")
    assert "4 ratings, 2 for each of 2 items" in html


def test_a_panel_that_leaves_nobody_shows_everyone_and_says_so(desk):
    """All people miss the answer that a gold image expects, since it was set wrong."""
    lines = ["participant,item,rating,phase,expected", *(f"{p},{item},{r},main," for p, item, r in RATINGS)]
    lines += [f"P{p},gold {n},5,gold,1" for p in range(PEOPLE) for n in range(4)]
    results = results_of(read(desk, upload(desk, "\n".join(lines).encode())))
    html = read(desk, results, panel="screened")
    assert "Every participant is marked, so nobody is left." in html
    assert "All 6 people are marked" in html
    assert "panel=everyone" in html
    assert desk.get(f"{results}tables/mos.csv", {"panel": "screened"}).status_code == 404


def test_a_file_of_simulated_ratings_says_so_before_its_results(desk):
    rows = "\n".join(
        ["participant,item,rating,simulated", *(f"{p},{item},{r},True" for p, item, r in RATINGS)]
    )
    html = read(desk, upload(desk, rows.encode()))
    said = "Simulated: a program made these ratings."
    assert html.index(said) < html.index("18 ratings of 3 items")
    assert "whether a program answered" in html
    for name in ("", "reliability/"):
        results = desk.get(results_of(html) + name).content.decode()
        assert results.index(said) < results.index('class="answer"')
    assert said not in read(desk, upload(desk, long()))
