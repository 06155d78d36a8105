"""The pages of the set-up's tasks, and the check before the opening."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from survey.access.studies import own_study
from survey.desk.forms.groups_form import GroupsForm
from survey.desk.forms.images_form import ImagesForm
from survey.desk.forms.languages_form import LanguagesForm
from survey.desk.forms.own_questions_form import OwnQuestionsForm
from survey.desk.forms.setup_forms import (
    AssignmentForm,
    PrivacyForm,
    QuestionsForm,
    RecruitmentForm,
    TextsForm,
)
from survey.desk.forms.task_form import TaskForm
from survey.desk.pages.entry import signed_in_user
from survey.desk.pages.study.setup import has_people, participants_address
from survey.desk.setup_list import TITLES, images_line, summary
from survey.models import Stimulus, Study
from survey.study.definition import Definition, definition_of
from survey.study.pictures import PublishError
from survey.study.readiness import Finding, blocking, load_of, remarks, tried
from survey.study.recast import own_images
from survey.study.revise import revise
from survey.study.stopping import standing

FORMS: Final[dict[str, type[TaskForm]]] = {
    "texts": TextsForm,
    "languages": LanguagesForm,
    "questions": QuestionsForm,
    "own_questions": OwnQuestionsForm,
    "assignment": AssignmentForm,
    "groups": GroupsForm,
    "recruitment": RecruitmentForm,
    "privacy": PrivacyForm,
}
_LEADS: Final = {
    "texts": "Shown on the welcome page. What you leave empty shows the grey text: the default, in every language.",
    "languages": "In four languages question, answers and all buttons have accepted wording: only what you wrote "
    "yourself needs a translation.",
    "questions": "One question keeps sessions short. Up to four are possible. To remove a question, clear its fields.",
    "own_questions": "Besides the scale: about the person, or about each image. Each one makes a session longer. A "
    "question about each image needs “Next”, also where one tap answers.",
    "groups": "Each person comes to one group when they begin, and groups fill evenly. They may differ in what they are "
    "told, shown or asked, and results compare them. Leave this empty to show everybody the same.",
    "recruitment": "Who can take part, what they are asked besides, and what a platform needs to pay them.",
    "privacy": "Shown before people agree. They need a name and a contact: the desk opens no study without both.",
}
_SAVED: Final = {
    "texts": "texts",
    "languages": "languages",
    "questions": "question and scale",
    "own_questions": "own questions",
    "assignment": "how much each person rates",
    "groups": "groups",
    "recruitment": "recruitment",
    "privacy": "privacy",
}
_ROWS: Final = (
    ("Title and texts", "texts"),
    ("Languages", "languages"),
    ("Question", "questions"),
    ("Own questions", "own_questions"),
    ("Images", "images"),
    ("Each person", "assignment"),
    ("Groups", "groups"),
    ("Who", "recruitment"),
    ("Responsible", "privacy"),
)


@require_http_methods(["GET", "HEAD", "POST"])
def task(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Show one task's form; POST: save it and go back to the list. Nothing else of the study changes."""
    study = own_study(request.user, slug)
    data = request.POST if request.method == "POST" else None
    definition = definition_of(study.version)
    form = FORMS[name](data, definition=definition, keys_stay=has_people(study))
    if data is not None and form.is_valid():
        try:
            revise(study, form.definition, signed_in_user(request))
        except PublishError as error:
            form.blame(str(error))
        else:
            messages.success(request, f"Saved: {_SAVED[name]}.")
            return redirect("setup", slug=slug)
    context = {
        "study": study,
        "definition": definition,
        "name": name,
        "form": form,
        "heading": TITLES[name],
        "lead": _lead(name, study, definition),
        "has_people": has_people(study),
        "address": participants_address(request, study),
    }
    return render(request, "survey/researcher/setup_task.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def images(request: HttpRequest, slug: str) -> HttpResponse:
    """Show each image with its role; POST: save the roles, and the factors of uploaded images."""
    study = own_study(request.user, slug)
    stays = has_people(study)
    stimuli = own_images(study.stimuli.select_related("cell").order_by("pk"))
    data = request.POST if request.method == "POST" and not stays else None
    form = ImagesForm(data, definition=definition_of(study.version), keys_stay=stays, stimuli=stimuli)
    if data is not None and form.is_valid():
        try:
            with transaction.atomic():
                Stimulus.objects.bulk_update(form.describe(), ["content", "style", "condition", "factors"])
                revise(study, form.definition, signed_in_user(request))
        except PublishError as error:
            form.blame(str(error))
        else:
            messages.success(request, "Saved: images and roles.")
            return redirect("setup", slug=slug)
    context = {
        "study": study,
        "name": "images",
        "form": form,
        "heading": TITLES["images"],
        "lead": f"Every image is rated unless you give it another role. Now: {images_line(study)}.",
        "has_people": stays,
        "trap": study.stimuli.filter(role=Stimulus.Role.TRAP).first(),
    }
    return render(request, "survey/researcher/setup_images.html", context, status=422 if form.errors else 200)


@require_safe
def check(request: HttpRequest, slug: str) -> HttpResponse:
    """Show all that the study says, what blocks its opening, and what deserves a second look."""
    study = own_study(request.user, slug)
    definition = definition_of(study.version)
    said = summary(study, definition)
    goal = definition.goal
    rows = [(label, said[name], _address(study, name)) for label, name in _ROWS]
    enough = f"{goal.votes} votes for each image, or ± {goal.half_width:g}"
    rows.insert(7, ("Enough when", enough, _address(study, "assignment")))
    rule = definition.stop_rule
    rows.insert(8, ("Pauses when", rule.in_words if rule else "You pause it", _address(study, "recruitment")))
    blocks = blocking(study, definition)
    context: dict[str, Any] = {
        "study": study,
        "rows": rows,
        "blocks": [_linked(study, finding) for finding in blocks],
        "remarks": [_linked(study, finding) for finding in remarks(study, definition)],
        "tried": tried(study),
        "stopping": standing(study, definition),
    }
    return render(request, "survey/researcher/setup_open.html", context)


def _lead(name: str, study: Study, definition: Definition) -> str:
    if name != "assignment":
        return _LEADS[name]
    load = load_of(study, definition)
    minutes = f"{load.minutes} minute{'s' * (load.minutes != 1)}"
    if definition.session.pairs == "informative":
        return (
            f"With these settings a session takes about {minutes}, and after {load.people} people each image has been "
            f"in {definition.goal.votes} comparisons on average."
        )
    unit = "pair" if definition.method == "pair" else "image"
    within = " in each group" if definition.groups else ""
    return (
        f"With these settings a session takes about {minutes}, and {load.people} people give every {unit} "
        f"{definition.goal.votes} votes{within}."
    )


def _linked(study: Study, finding: Finding) -> tuple[str, str, str]:
    """Return a finding's text, the address that changes it, and what the link is called."""
    act = "Take part" if finding.task == "try" else "Do it" if finding.blocks else "Change"
    return finding.text, _address(study, finding.task), act


def _address(study: Study, name: str) -> str:
    if name == "try":
        return reverse("participant", args=[study.slug]) + "?preview=1"
    return reverse(f"setup_{name}", args=[study.slug])
