"""Sharing the results is explicit, kept, and taken back at will."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from survey.models import Viewer

pytestmark = pytest.mark.django_db


def test_a_viewer_is_added_by_name_and_removed(study, desk):
    User.objects.create_user("grace")
    address = reverse("add_viewer", args=[study.slug])
    assert "no account named" in desk.post(address, {"username": "grce"}, follow=True).content.decode()
    desk.post(address, {"username": "grace"})
    desk.post(address, {"username": "grace"})
    viewer = Viewer.objects.get()
    desk.post(reverse("remove_viewer", args=[study.slug, viewer.pk]))
    assert not Viewer.objects.exists()


def test_a_share_link_is_made_and_revoked_on_its_page(study, desk, client):
    desk.post(reverse("share", args=[study.slug]))
    link = study.share_links.get()
    html = desk.get(reverse("sharing", args=[study.slug])).content.decode()
    assert reverse("shared_results", args=[link.token]) in html
    desk.post(reverse("revoke", args=[study.slug, link.pk]))
    html = desk.get(reverse("sharing", args=[study.slug])).content.decode()
    assert link.token not in html
    assert "revoked" in html
