"""Who is here: the study of an address, the participant of a cookie, the language, and whence a form came."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.csrf import csrf_exempt

from survey.access.studies import readable_studies
from survey.models import Participant, Study, StudyVersion
from survey.session import progress, refusals
from survey.session.pages.wording import speaking
from survey.study.definition import Definition, definition_for, definition_of
from survey.study.wording import is_right_to_left, language_name

COOKIE: Final = "participant"
COOKIE_AGE: Final = 180 * 24 * 3600


class Visit:
    """One request to a participant's page. Whose, and of which study, is looked up where it is first asked for."""

    def __init__(self, request: HttpRequest, slug: str) -> None:
        self.request = request
        self.slug = slug

    @property
    def cookie(self) -> str:
        """The participant's token, as the browser sent it; "" for none."""
        return self.request.COOKIES.get(COOKIE, "")

    @property
    def by_script(self) -> bool:
        """Whether the page's script sent this form: it reads JSON, in no language."""
        return self.request.method == "POST" and self.request.headers.get("Accept", "").startswith(
            "application/json"
        )

    @cached_property
    def participant(self) -> Participant | None:
        """The participant of the cookie, if they belong to this study."""
        if not self.cookie:
            return None
        people = Participant.objects.filter(study__slug=self.slug, token=self.cookie)
        return people.select_related("study", "version").defer("version__definition").first()

    @cached_property
    def study(self) -> Study:
        """The study of the address; Http404 when there is none."""
        if self.participant:
            # One study row for both: what one function changes, the next one sees.
            return self.participant.study
        if self._newest is None:
            raise Http404("no such study")
        return self._newest.study

    @cached_property
    def _newest(self) -> StudyVersion | None:
        """The newest version of the study of the address, with the study: one query for both."""
        versions = StudyVersion.objects.filter(study__slug=self.slug).select_related("study")
        return versions.defer("definition").order_by("-number").first()

    @cached_property
    def home(self) -> str:
        """The address of the study's first page, below which all its pages for participants are."""
        return reverse("participant", args=[self.slug])

    @property
    def person(self) -> Participant:
        """The participant, on pages that only a participant gets to."""
        if self.participant is None:
            raise Http404("no participant")
        return self.participant

    @cached_property
    def may_read(self) -> bool:
        """Whether a researcher is here who may read this study's results."""
        return readable_studies(self.request.user).filter(pk=self.study.pk).exists()

    @cached_property
    def definition(self) -> Definition:
        """What this participant is asked: their version's definition for their group, or the newest for a newcomer."""
        if self.participant:
            return definition_for(self.participant)
        return definition_of(self._newest or self.study.version)

    @cached_property
    def language(self) -> str:
        """The participant's language; for a newcomer the one asked for in the address, else the browser's."""
        if self.participant:
            return self.participant.language
        languages = list(self.definition.languages)
        wanted = self.request.GET.get("language") or self.request.POST.get("language")
        if wanted in languages:
            return wanted
        accepted = parse_accept_lang_header(self.request.headers.get("Accept-Language", "").lower())
        known = {code.partition("-")[0]: code for code in reversed(languages)}
        for code, _ in accepted:
            if code in languages or code.partition("-")[0] in known:
                return code if code in languages else known[code.partition("-")[0]]
        return languages[0]

    @property
    def languages(self) -> list[tuple[str, str]]:
        """The study's languages, each with what it calls itself."""
        asked = self.definition
        return [(code, language_name(code, asked.wording)) for code in asked.languages]

    @property
    def is_right_to_left(self) -> bool:
        """Whether the visit's language is written from right to left."""
        return is_right_to_left(self.language)

    def text(self, text: Any) -> str:
        """Return one of the definition's texts in the visit's language."""
        return self.definition.say(text, self.language)

    def page(self, template: str, status: int = 200, **context: Any) -> HttpResponse:
        """Render a participant's page; Http404 for a draft, whose title only its researchers may see."""
        if self.study.state == Study.State.DRAFT and self.participant is None and not self.may_read:
            raise Http404("a draft")
        context |= {"visit": self, "study": self.study, "participant": self.participant}
        return render(self.request, f"survey/{template}.html", context, status=status)

    @property
    def shows_images(self) -> bool:
        """Whether the study shows images to those who take part: it is open, and not over."""
        return self.study.state == Study.State.OPEN and not self.study.is_over

    def closed(self) -> HttpResponse:
        """Say that the study takes nobody now: 503 for a pause, 410 for good."""
        status = 503 if self.study.state == Study.State.PAUSED and not self.study.is_over else 410
        if self.by_script:
            return JsonResponse({"error": "closed"}, status=status)
        return self.page("closed", status)

    def go(self, name: str | None = None) -> HttpResponse:
        """Send the browser on by GET: to a page of this study, or to the one where the participant should be."""
        response = redirect(name or self.place, self.study.slug)
        # 303: whatever sent the form, the next request is a GET.
        response.status_code = 303
        return response

    @property
    def place(self) -> str:
        """The name of the page where this visitor should be now."""
        return self.place_knowing(None)

    def place_knowing(self, waits: bool | None) -> str:
        """Return the same. `waits`: whether a trial waits for an answer; None to look it up where it decides."""
        person, asked = self.participant, self.definition
        if person is None:
            return "participant"
        if person.state != Participant.State.ACTIVE:
            return "done"
        if person.screening is None and asked.screening.asks:
            return "screening"
        if person.viewing is None and asked.viewing.asks and not refusals.is_frozen(person):
            return "viewing"
        if person.before is None and asked.asked_of_person("before") and not refusals.is_frozen(person):
            return "before"
        if progress.waits(person) if waits is None else waits:
            return "rate"
        wants = asked.asks_after and person.about is None and not refusals.is_frozen(person)
        return "about" if wants else "done"


Page = Callable[..., HttpResponseBase]


def participant_page(
    *methods: str, newcomers: bool = False, wordless: bool = False
) -> Callable[[Page], Callable[..., HttpResponseBase]]:
    """Make a view of `page(visit)`: open to all, in the visitor's language, never cached nor indexed.

    Without `newcomers`, whoever has no place in the study is sent to its first page. A `wordless` page needs no
    language, and so no look at the definition. Forms are guarded as by Go's net/http.CrossOriginProtection: by what the
    browser itself says of the form's origin. So no cookie but the participant's own is needed, and an answer outlives
    the loss of that one.
    """

    def decorate(page: Page) -> Page:
        @csrf_exempt
        @login_not_required
        @wraps(page)
        def view(request: HttpRequest, slug: str, **kwargs: Any) -> HttpResponseBase:
            visit = Visit(request, slug)
            asked = "GET" if request.method == "HEAD" else request.method
            if asked not in methods:
                response: HttpResponseBase = HttpResponse(status=405, headers={"Allow": ", ".join(methods)})
            elif request.method == "POST" and from_elsewhere(request):
                response = visit.page("refused", status=403)
            elif not newcomers and visit.participant is None:
                response = visit.go("participant")
            elif wordless or visit.by_script:
                response = page(visit, **kwargs)
            else:
                with speaking(visit.language, visit.definition.wording):
                    response = page(visit, **kwargs)
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers["X-Robots-Tag"] = "noindex"
            return response

        return view

    return decorate


def from_elsewhere(request: HttpRequest) -> bool:
    """Return whether the browser says that another site sent this form. Programs say nothing, and may."""
    if site := request.headers.get("Sec-Fetch-Site"):
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    try:
        return origin is not None and urlsplit(origin).netloc != request.get_host()
    except ValueError:
        # "http://[bad" is no address at all.
        return True


def remember(response: HttpResponse, participant: Participant) -> HttpResponse:
    """Give the browser the one cookie: strictly necessary, sent to this study's pages only."""
    response.set_cookie(
        COOKIE,
        participant.token or "",
        max_age=COOKIE_AGE,
        path=reverse("participant", args=[participant.study.slug]),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def forget(response: HttpResponse, study: Study) -> HttpResponse:
    """Take the cookie away."""
    response.delete_cookie(COOKIE, path=reverse("participant", args=[study.slug]), samesite="Lax")
    return response
