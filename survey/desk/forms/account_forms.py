"""The forms of accounts: a new one, a new password, a code."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import SetPasswordForm, UserCreationForm

from survey.access.accounts import DAYS
from survey.access.roles import Role

_RULE = "At least 10 characters. A sentence of several words is easy to remember."


class JoinForm(UserCreationForm):  # type: ignore[type-arg]
    """The name and the password of a new account."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        name = self.fields["username"]
        name.label, name.help_text = "User name", "Letters, digits and @ . + - _"
        name.widget.attrs |= {"autocapitalize": "none", "autocomplete": "username"}
        self.fields["password1"].label, self.fields["password1"].help_text = "Password", _RULE
        self.fields["password2"].label, self.fields["password2"].help_text = "Password again", ""


class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    """A new password, twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["new_password1"].label, self.fields["new_password1"].help_text = "New password", _RULE
        self.fields["new_password2"].label, self.fields["new_password2"].help_text = "New password again", ""


class OwnPasswordForm(NewPasswordForm):
    """A new password, for somebody who knows the old one."""

    old_password = forms.CharField(
        label="Your password now",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("old_password", "new_password1", "new_password2")


class CodeForm(forms.Form):
    """One code."""

    code = forms.CharField(
        label="Code",
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )


class InviteForm(forms.Form):
    """Who is invited: as what, and for how long."""

    note = forms.CharField(label="For whom", max_length=100, required=False)
    role = forms.ChoiceField(label="Role", choices=Role.choices, initial=Role.RESEARCHER)
    days = forms.TypedChoiceField(
        label="Works for",
        choices=[(days, f"{days} day{'s' * (days > 1)}") for days in DAYS],
        coerce=int,
        initial=7,
    )
