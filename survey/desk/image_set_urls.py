"""The addresses of pictures, plans and image sets, and of the way from them to a study."""

from __future__ import annotations

from django.urls import URLPattern, path

from survey.desk.pages.image_sets import cells, image_sets, plans, uploads
from survey.desk.pages.study import new_study

urlpatterns: list[URLPattern] = [
    path("pictures/", uploads.pictures, name="pictures"),
    path("pictures/upload/", uploads.upload, name="upload"),
    path("pictures/<int:pk>.webp", uploads.thumbnail, name="upload_thumbnail"),
    path("pictures/<int:pk>/remove/", uploads.remove, name="remove_upload"),
    path("plans/new/", plans.new, name="new_plan"),
    path("plans/new/count.json", plans.count, name="plan_count"),
    path("plans/<int:pk>/", plans.run, name="plan"),
    path("plans/<int:pk>/state.json", plans.state, name="plan_state"),
    path("plans/<int:pk>/go/", plans.go, name="go"),
    path("plans/<int:pk>/stop/", plans.stop_plan_run, name="stop_plan"),
    path("plans/<int:pk>/discard/", plans.discard, name="discard_plan"),
    path("sets/", image_sets.image_sets, name="image_sets"),
    path("sets/<slug:slug>/", image_sets.image_set, name="image_set"),
    path("sets/<slug:slug>/progress.json", image_sets.progress_json, name="set_progress"),
    path("sets/<slug:slug>/plan.toml", image_sets.plan_file, name="set_plan"),
    path("sets/<slug:slug>/sheet.png", image_sets.sheet, name="set_sheet"),
    path("sets/<slug:slug>/images.zip", image_sets.archive, name="set_archive"),
    path("sets/<slug:slug>/rename/", image_sets.rename, name="rename_set"),
    path("sets/<slug:slug>/delete/", image_sets.delete, name="delete_set"),
    path("sets/<slug:slug>/stop/", image_sets.stop_image_set, name="stop_set"),
    path("sets/<slug:slug>/resume/", image_sets.resume, name="resume_set"),
    path("sets/<slug:slug>/retry/", image_sets.retry, name="retry_set"),
    path("sets/<slug:slug>/cells/<int:index>/", cells.cell, name="cell"),
    path("sets/<slug:slug>/cells/<int:index>/image.png", cells.image, name="cell_image"),
    path("sets/<slug:slug>/cells/<int:index>/thumbnail.webp", cells.thumbnail, name="cell_thumbnail"),
    path("sets/<slug:slug>/cells/<int:index>/curve.svg", cells.curve, name="cell_curve"),
    path(
        "sets/<slug:slug>/cells/<int:index>/references/<int:place>.webp",
        cells.reference,
        name="cell_reference",
    ),
    path("sets/<slug:slug>/study/", new_study.from_set, name="study_from_set"),
    path("studies/new/", new_study.from_pictures, name="new_study"),
]
