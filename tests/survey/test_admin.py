"""The administration's lists: they show rows and read no more."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from survey.models import Stored, StoredPart
from tests.survey.factories import make_study

pytestmark = pytest.mark.django_db


def test_the_list_of_pieces_reads_none_of_their_data():
    made = Stored.objects.create(study=make_study(), kind="csv")
    StoredPart.objects.create(stored=made, number=0, data=b"a megabyte")
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = client.get("/admin/survey/storedpart/")
    assert page.status_code == 200
    assert "csv" in page.text
    assert not any('"survey_storedpart"."data"' in query["sql"] for query in queries)
