"""Images in a bucket: everything that works on a disk works there, and browsers are sent to it where it is public."""

from __future__ import annotations

import boto3  # type: ignore[import-untyped]
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from moto import mock_aws

from generator.files import store
from tests.survey.factories import join, make_study

BUCKET = "images"


@pytest.fixture
def bucket(settings, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    options = {
        "bucket_name": BUCKET,
        "region_name": "eu-central-1",
        "object_parameters": {"CacheControl": "max-age=31536000, immutable"},
        "file_overwrite": False,
    }
    s3 = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    with mock_aws():
        client = boto3.client("s3", region_name="eu-central-1")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        settings.STORAGES = settings.STORAGES | {"default": s3}
        yield client


def keys(bucket) -> list[str]:
    return [entry["Key"] for entry in bucket.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def test_the_same_bytes_are_stored_once_with_immutable_caching(bucket):
    first, second = store.put("cells", b"image", ".png"), store.put("cells", b"image", ".png")
    assert first == second
    assert keys(bucket) == [first[0]]
    assert "immutable" in bucket.head_object(Bucket=BUCKET, Key=first[0])["CacheControl"]
    assert default_storage.open(first[0]).read() == b"image"


@pytest.mark.django_db
def test_a_study_is_published_and_shown_from_the_bucket(bucket):
    study = make_study()
    client = Client()
    trial = join(client, study).trials.all()[0]
    response = client.get(f"/s/study/image/{trial.stimulus.name}")
    assert b"".join(response.streaming_content).startswith(b"\x89PNG")  # type: ignore[attr-defined]
    assert "immutable" in response["Cache-Control"]


@pytest.mark.django_db
def test_browsers_are_sent_past_the_server_to_a_public_bucket_but_only_participants(bucket, settings):
    settings.MEDIA_PUBLIC_URL = "https://images.example/"
    study = make_study()
    client = Client()
    trial = join(client, study).trials.all()[0]
    address = f"/s/study/image/{trial.stimulus.name}"
    response = client.get(address)
    assert response.status_code == 302
    assert response["Location"] == f"https://images.example/{trial.stimulus.image.name}"
    assert "immutable" in response["Cache-Control"]
    assert Client().get(address).status_code == 404


@pytest.mark.slow
@pytest.mark.django_db
def test_an_image_gone_from_the_bucket_is_404_and_the_answer_still_counts(bucket):
    study = make_study()
    client = Client()
    trial = join(client, study).trials.all()[0]
    default_storage.delete(str(trial.stimulus.image.name))
    assert client.get(f"/s/study/image/{trial.stimulus.name}").status_code == 404
    assert client.post("/s/study/rate/", {"trial": trial.token, "q-overall": "4"}).status_code == 303


def test_readiness_says_when_the_bucket_is_gone(bucket, client, db):
    for key in keys(bucket):
        bucket.delete_object(Bucket=BUCKET, Key=key)
    bucket.delete_bucket(Bucket=BUCKET)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["problems"][0].startswith("media")


def test_a_name_taken_is_never_overwritten(bucket):
    first = default_storage.save("x/name.png", ContentFile(b"one"))
    second = default_storage.save("x/name.png", ContentFile(b"two"))
    assert first != second
    assert default_storage.open(first).read() == b"one"
