"""The researchers' addresses: under /studies/ signed in, under /shared/ by a share link."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from survey.desk.pages import api, help, ratings_file
from survey.desk.pages.entry import Page, by_link, signed_in
from survey.desk.pages.published import published
from survey.desk.pages.results import of_file
from survey.desk.pages.results.common_scale import common_scale
from survey.desk.pages.results.files import download, image, images_zip, thumbnail
from survey.desk.pages.results.results import (
    conditions,
    covariates,
    downloads,
    groups,
    plot,
    reliability,
    results,
    table,
)
from survey.desk.pages.study import (
    lifecycle,
    live,
    log,
    participants,
    preregistration,
    prolific,
    setup,
    setup_tasks,
    sharing,
)
from survey.desk.pages.study.planning import planning
from survey.desk.pages.study.studies import studies

PAGES: Final[tuple[tuple[str, Page, str], ...]] = (
    ("results/", results, "results"),
    ("results/conditions/", conditions, "results_conditions"),
    ("results/covariates/", covariates, "results_covariates"),
    ("results/groups/", groups, "results_groups"),
    ("results/reliability/", reliability, "results_reliability"),
    ("results/downloads/", downloads, "results_downloads"),
    ("results/images.zip", images_zip, "results_images"),
    ("results/plots/<slug:name>.<slug:file_format>", plot, "plot"),
    ("results/tables/<slug:name>.csv", table, "table"),
    ("results/download/<slug:file_format>", download, "download"),
    ("results/images/<str:name>.png", image, "stimulus_image"),
    ("results/images/<str:name>.webp", thumbnail, "stimulus_thumbnail"),
)

#: The same of an uploaded ratings file.
FILE_PAGES: Final = (
    ("results/", of_file.results, "results"),
    ("results/conditions/", of_file.conditions, "results_conditions"),
    ("results/covariates/", of_file.covariates, "results_covariates"),
    ("results/groups/", of_file.groups, "results_groups"),
    ("results/reliability/", of_file.reliability, "results_reliability"),
    ("results/downloads/", of_file.downloads, "results_downloads"),
    ("results/plots/<slug:name>.<slug:file_format>", of_file.plot, "plot"),
    ("results/tables/<slug:name>.csv", of_file.table, "table"),
    ("results/download/all", of_file.download, "download"),
)

urlpatterns: list[URLPattern] = [
    path("studies/", studies, name="studies"),
    path("analyse/", ratings_file.analyse_file, name="analyse_file"),
    path("analyse/<slug:key>/", ratings_file.ratings_file, name="ratings_file"),
    path("analyse/<slug:key>/remove/", ratings_file.remove, name="remove_ratings_file"),
    path("analyse/<slug:key>/<slug:reading>/keep/", ratings_file.keep_as_study, name="keep_as_study"),
    *(
        path(f"analyse/<slug:key>/<slug:reading>/{route}", page, name=f"file_{name}")
        for route, page, name in FILE_PAGES
    ),
    path("planning/", planning, name="planning"),
    path("published/", published, name="published"),
    path("studies/<slug:slug>/common-scale/", common_scale, name="common_scale"),
    path("studies/<slug:slug>/participants/", participants.participants, name="participants"),
    path("studies/<slug:slug>/participants/<int:pk>/exclude/", participants.exclude, name="exclude"),
    path("studies/<slug:slug>/leave-out/", participants.leave_out, name="leave_out"),
    path("studies/<slug:slug>/leave-out/lift/", participants.lift_many, name="lift_many"),
    path(
        "studies/<slug:slug>/participants/<int:pk>/withdraw/",
        participants.withdraw,
        name="withdraw_participant",
    ),
    path("studies/<slug:slug>/exclusions/<int:pk>/lift/", participants.lift, name="lift"),
    path("studies/<slug:slug>/sharing/", sharing.sharing, name="sharing"),
    path("studies/<slug:slug>/sharing/links/", sharing.share, name="share"),
    path("studies/<slug:slug>/sharing/links/<int:pk>/revoke/", sharing.revoke, name="revoke"),
    path("studies/<slug:slug>/sharing/invite/", sharing.invite_reader, name="invite_reader"),
    path("studies/<slug:slug>/sharing/invite/<int:pk>/end/", sharing.uninvite_reader, name="uninvite_reader"),
    path("studies/<slug:slug>/sharing/viewers/", sharing.add_viewer, name="add_viewer"),
    path("studies/<slug:slug>/sharing/viewers/<int:pk>/remove/", sharing.remove_viewer, name="remove_viewer"),
    path("studies/<slug:slug>/live/", live.live, name="live"),
    path("studies/<slug:slug>/live/now.json", live.now, name="live_now"),
    path("studies/<slug:slug>/setup/", setup.setup, name="setup"),
    path("studies/<slug:slug>/setup/file/", setup.file, name="study_file"),
    path("studies/<slug:slug>/setup/images/", setup_tasks.images, name="setup_images"),
    path("studies/<slug:slug>/setup/open/", setup_tasks.check, name="setup_open"),
    *(
        path(f"studies/<slug:slug>/setup/{name}/", setup_tasks.task, {"name": name}, name=f"setup_{name}")
        for name in setup_tasks.FORMS
    ),
    path("studies/<slug:slug>/setup/versions/<int:number>.toml", setup.version_file, name="version_file"),
    path("studies/<slug:slug>/setup/state/", setup.state, name="study_state"),
    path("studies/<slug:slug>/setup/qr.svg", setup.qr, name="qr"),
    path("studies/<slug:slug>/prolific/", prolific.prolific, name="prolific"),
    path("studies/<slug:slug>/prolific/choose/", prolific.choose, name="prolific_choose"),
    path("studies/<slug:slug>/prolific/connect/", prolific.connect_prolific, name="prolific_connect"),
    path(
        "studies/<slug:slug>/prolific/disconnect/", prolific.disconnect_prolific, name="prolific_disconnect"
    ),
    path("studies/<slug:slug>/prolific/look/", prolific.look_up, name="prolific_look"),
    path("studies/<slug:slug>/prolific/follow/", prolific.follow, name="prolific_follow"),
    path("studies/<slug:slug>/prolific/draft/", prolific.draft, name="prolific_draft"),
    path("studies/<slug:slug>/prolific/places/", prolific.places, name="prolific_places"),
    path("studies/<slug:slug>/prolific/submissions/", prolific.submissions, name="prolific_submissions"),
    path("studies/<slug:slug>/prolific/<slug:name>/", prolific.step, name="prolific_step"),
    path("studies/<slug:slug>/preregistration/", preregistration.page, name="preregistration"),
    path("studies/<slug:slug>/preregistration.md", preregistration.file, name="preregistration_file"),
    path("studies/<slug:slug>/invitations/", lifecycle.invitations, name="invitations"),
    path("studies/<slug:slug>/invitations/links.txt", lifecycle.invitations_file, name="invitations_file"),
    path("studies/<slug:slug>/copy/", lifecycle.copy, name="copy"),
    path("studies/<slug:slug>/end/", lifecycle.end, name="end"),
    path("studies/<slug:slug>/end/archive/", lifecycle.archive, name="archive"),
    path("studies/<slug:slug>/end/restore/", lifecycle.restore, name="restore"),
    path("studies/<slug:slug>/end/purge/", lifecycle.purge, name="purge"),
    path("studies/<slug:slug>/end/delete/", lifecycle.delete, name="delete_study"),
    path("studies/<slug:slug>/log/", log.log, name="log"),
    path("studies/<slug:slug>/log.csv", log.log_file, name="log_file"),
    path("api/v1/studies", api.studies, name="api_studies"),
    path("api/v1/studies/<slug:slug>", api.study, name="api_study"),
    path("api/v1/studies/<slug:slug>/results", api.results, name="api_results"),
    path("api/v1/studies/<slug:slug>/ratings.<slug:file_format>", api.ratings, name="api_ratings"),
    path("help/", help.start, name="help"),
    path("help/pictures/<path:name>", help.picture, name="help_picture"),
    path("help/<path:name>/", help.page, name="help_page"),
    path("log/", log.whole_log, name="whole_log"),
    path("log.csv", log.whole_log_file, name="whole_log_file"),
    *(path(f"studies/<slug:slug>/{route}", signed_in(page), name=name) for route, page, name in PAGES),
    *(
        path(f"shared/<str:token>/{route}", by_link(page), name=f"shared_{name}")
        for route, page, name in PAGES
    ),
]
