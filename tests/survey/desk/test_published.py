"""The page that judges published means."""

from __future__ import annotations

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db


def page(client, status=200, **query):
    response = client.get(reverse("published"), query)
    assert response.status_code == status
    return response.content.decode()


def test_the_page_opens_empty_and_is_linked_from_analyse(admin_client):
    assert "Can these ratings have this mean?" in page(admin_client)
    assert reverse("published") in admin_client.get(reverse("analyse_file")).content.decode()


def test_a_mean_is_judged_under_each_way_of_rounding(admin_client):
    text = page(admin_client, mean="3.66", n="45", scale="1:5")
    assert "by rounding, but can if further digits were cut off" in text
    assert text.count("not possible") == 3
    assert "cut off after the last digit" in text
    assert "With the SD" not in text


def test_an_sd_is_judged_with_its_divisor(admin_client):
    text = page(admin_client, mean="3.2", sd="0.84", n="5", scale="1:5")
    assert "can come from 5 ratings" in text
    assert "possible, divisor n − 1" in text
    assert "cannot come from" in page(admin_client, mean="3.2", sd="0.90", n="5", scale="1:5")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"mean": "", "n": "5"}, "Enter the mean as it is printed"),
        ({"mean": "much", "n": "5"}, "is no number"),
        ({"mean": "1e-99999999", "n": "5"}, "decimals or zeros"),
        ({"mean": "3.2", "n": "0"}, "greater than or equal to 1"),
        ({"mean": "3.2", "n": "1000000"}, "less than or equal to 10000"),
        ({"mean": "3.2", "n": "5", "sd": "-1"}, "never negative"),
        ({"mean": "3.2", "n": "5", "scale": "5:1"}, "low end"),
        ({"mean": "3.2", "n": "5", "scale": "0:100"}, "continuous scale"),
        ({"mean": "3.2", "n": "10000", "scale": "0:1:0.001"}, "too many to count"),
    ],
)
def test_bad_input_is_told_beside_its_field(admin_client, query, said):
    assert said in page(admin_client, 422, **({"scale": "1:5"} | query))
