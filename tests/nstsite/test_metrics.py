from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from survey.session import starting
from tests.survey.factories import make_study, rate_all

pytestmark = pytest.mark.django_db


def scrape(client, key: str):
    return client.get("/metrics", headers={"Authorization": f"Bearer {key}"})


def test_without_a_key_in_the_settings_there_is_no_such_address(client):
    assert scrape(client, "").status_code == 404


@pytest.mark.parametrize("key", ["", "wrong", "sécret"])
def test_it_answers_nobody_without_the_key(client, settings, key):
    settings.METRICS_KEY = "right"
    assert scrape(client, key).status_code == 403


def test_it_counts_what_the_database_holds(client, settings):
    settings.METRICS_KEY = "right"
    study = make_study()
    rate_all(starting.start(study), limit=4)
    starting.start(study)
    lines = scrape(client, "right").content.decode().splitlines()
    assert "nstsite_answers_total 4" in lines
    assert 'nstsite_participants{state="active"} 2' in lines
    assert 'nstsite_studies{state="open"} 1' in lines


def test_every_line_is_of_prometheus_text_format(client, settings):
    settings.METRICS_KEY = "right"
    make_study()
    text = scrape(client, "right").content.decode()
    assert text.endswith("\n")
    for line in text.splitlines():
        assert line.startswith(("# HELP nstsite_", "# TYPE nstsite_")) or float(line.rsplit(" ", 1)[1]) >= 0


def test_it_counts_how_long_answers_take_by_route_and_never_by_address(client, settings):
    settings.METRICS_KEY = "right"
    study = make_study(slug="nowhere-else")

    def counted() -> float:
        wanted = 'nstsite_request_seconds_count{method="GET",route="s/<slug:slug>/"}'
        lines = scrape(client, "right").content.decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(wanted))

    before = counted()
    client.get(f"/s/{study.slug}/")
    client.generic("MADE-UP", f"/s/{study.slug}/")
    assert counted() == before + 1
    text = scrape(client, "right").content.decode()
    assert "MADE-UP" not in text
    assert f"/{study.slug}/" not in text


ON_A_FULL_DISK = """
import os, pathlib, resource, sys
from nstsite import latency
(most,) = resource.getrlimit(resource.RLIMIT_FSIZE)[1:]
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, most))
latency.observe("GET", "full", 1)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
assert "full" not in latency.text()
latency.observe("GET", "free", 1)
assert 'route="free"' in latency.text()
(file,) = pathlib.Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).iterdir()
print(file.stat().st_blocks * 512, file.stat().st_size)
"""


def test_a_full_disk_costs_a_measurement_and_no_request(tmp_path):
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", ON_A_FULL_DISK],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # All of it is on disk: a process that writes to a hole of a mapped file is killed once the disk is full.
    on_disk, size = map(int, done.stdout.split())
    assert on_disk >= size == 4 * 2**20
