"""All URLs: the survey at the root, Django's admin, and health checks."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from django.views.generic import RedirectView

from nstsite import health, metrics
from survey.desk.pages.accounts.sign_in import SignIn

urlpatterns = [
    # One door for both: what holds for signing in and for passwords holds for Django's admin, too.
    path("admin/login/", SignIn.as_view(next_page="/admin/"), name="admin_sign_in"),
    path(
        "admin/password_change/", RedirectView.as_view(pattern_name="password_change"), name="admin_password"
    ),
    path("admin/", admin.site.urls),
    path("sign-in/", SignIn.as_view(), name="sign_in"),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("", include("survey.urls")),
]
