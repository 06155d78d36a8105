"""Sharing the results is explicit, kept, and taken back at will."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from survey.models import Study, Viewer
from tests.survey.desk.conftest import client_of

pytestmark = pytest.mark.django_db


def test_everything_can_be_downloaded_where_the_page_of_the_end_says(study, desk):
    Study.objects.update(state="closed")
    page = desk.get(reverse("end", args=[study.slug])).content.decode()
    (address,) = re.findall(r'<a href="([^"]+)">Download everything</a>', page)
    assert 'download/all"' in desk.get(address).content.decode()


def test_a_viewer_is_added_by_name_and_removed(study, desk):
    User.objects.create_user("grace")
    address = reverse("add_viewer", args=[study.slug])
    assert "no account named" in desk.post(address, {"username": "grce"}, follow=True).content.decode()
    desk.post(address, {"username": "grace"})
    desk.post(address, {"username": "grace"})
    viewer = Viewer.objects.get()
    desk.post(reverse("remove_viewer", args=[study.slug, viewer.pk]))
    assert not Viewer.objects.exists()


def test_the_owner_is_listed_whoever_looks(study, desk, owner):
    address = reverse("sharing", args=[study.slug])
    assert "owner (you), who owns the study" in desk.get(address).content.decode()
    admin = client_of(User.objects.create_superuser("admin"))
    page = admin.get(address).content.decode()
    assert "owner, who owns the study" in page
    assert "all administrators" in page
    Study.objects.update(owner=None)
    assert "Nobody owns the study." in admin.get(address).content.decode()


def test_a_share_link_is_made_and_revoked_on_its_page(study, desk, client):
    desk.post(reverse("share", args=[study.slug]))
    link = study.share_links.get()
    html = desk.get(reverse("sharing", args=[study.slug])).content.decode()
    assert reverse("shared_results", args=[link.token]) in html
    desk.post(reverse("revoke", args=[study.slug, link.pk]))
    html = desk.get(reverse("sharing", args=[study.slug])).content.decode()
    assert link.token not in html
    assert "revoked" in html
