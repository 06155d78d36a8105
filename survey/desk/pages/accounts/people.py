"""The administrators' pages of accounts: who there is, invitations, and what can be done to one account."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods, require_POST

from survey.access import accounts, second_factor
from survey.access.errors import DeskError
from survey.access.roles import Role, role_of
from survey.desk.forms.account_forms import InviteForm
from survey.desk.pages.entry import signed_in_user
from survey.models import AccountLink


@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """List accounts and open invitations; POST: invite somebody and show the link, this once."""
    admin = _admin(request)
    form = InviteForm(request.POST if request.method == "POST" else None)
    address = ""
    if form.is_valid():
        said = form.cleaned_data
        secret = accounts.invite(admin, Role(said["role"]), note=said["note"], days=said["days"])
        address = request.build_absolute_uri(reverse("join", args=[secret]))
        form = InviteForm()
    factors = second_factor.accounts_with()
    context = {
        "people": [(user, role_of(user), user.pk in factors) for user in User.objects.order_by("username")],
        "invitations": accounts.open_invitations(),
        "form": form,
        "address": address,
    }
    response = render(request, "survey/researcher/accounts.html", context, status=422 if form.errors else 200)
    add_never_cache_headers(response)
    return response


@require_POST
def uninvite(request: HttpRequest, pk: int) -> HttpResponse:
    """End an invitation."""
    admin = _admin(request)
    accounts.revoke(get_object_or_404(AccountLink, pk=pk, kind=AccountLink.Kind.INVITE), admin)
    messages.success(request, "The invitation is ended. Its link no longer works.")
    return redirect("accounts")


@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one account; POST: change its role, switch it off or on, or help it to sign in."""
    admin = _admin(request)
    user = get_object_or_404(User, pk=pk)
    context: dict[str, Any] = {}
    fault = ""
    if request.method == "POST":
        try:
            done = _act(request, user, admin)
        except DeskError as error:
            fault = str(error)
        else:
            if not done.startswith("/"):
                messages.success(request, done)
                return redirect("account_of", pk)
            context["address"] = request.build_absolute_uri(done)
    context |= {
        "person": user,
        "role": role_of(user),
        "roles": Role.choices,
        "has_factor": second_factor.is_on(user),
        "hours": accounts.RESET_HOURS,
        "fault": fault,
    }
    response = render(request, "survey/researcher/account_of.html", context, status=422 if fault else 200)
    add_never_cache_headers(response)
    return response


def _act(request: HttpRequest, user: User, admin: User) -> str:
    """Do what a button asks for; return what happened, or the address of a link to a new password."""
    name, act = user.get_username(), request.POST.get("act")
    if act == "role":
        role = request.POST.get("role", "")
        if role not in Role.values:
            raise DeskError("Choose a role from the list.")
        accounts.set_role(user, Role(role), admin)
        return f"{name} is now {Role(role).label}."
    if act == "off":
        accounts.switch(user, on=False, by=admin)
        return f"{name} is switched off and signed out everywhere."
    if act == "on":
        accounts.switch(user, on=True, by=admin)
        return f"{name} is switched on and can sign in again."
    if act == "link":
        return reverse("new_password", args=[accounts.make_reset(user, admin)])
    if act == "unlock":
        accounts.end_wait(user, admin)
        return f"{name} can try to sign in again now."
    if act == "factor":
        second_factor.remove(user, admin)
        return f"The second factor of {name} is removed. Signing in takes the password alone."
    raise DeskError("Choose one of the buttons.")


def _admin(request: HttpRequest) -> User:
    user = signed_in_user(request)
    if not user.is_superuser:
        raise Http404("for admins")
    return user
