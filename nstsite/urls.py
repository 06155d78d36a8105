"""All URLs: the survey at the root, Django's admin, and health checks."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from nstsite import health, metrics

# Without any account the page says how to create one. The query runs when the page is rendered.
sign_in = LoginView.as_view(
    template_name="survey/sign_in.html", extra_context={"has_accounts": User.objects.exists}
)

urlpatterns = [
    path("admin/", admin.site.urls),
    path("sign-in/", sign_in, name="sign_in"),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("", include("survey.urls")),
]
