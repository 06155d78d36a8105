"""The forms of the page about Prolific: the token, the draft, more places."""

from __future__ import annotations

from typing import Any

from django import forms

from survey.study.prolific.draft import DEVICES, Draft

_DEVICES = (("desktop", "computers"), ("tablet", "tablets"), ("mobile", "phones"))


def amount(cents: float | None, currency: str) -> str:
    """Return an amount of money as people read it; "–" for none."""
    return "–" if cents is None else f"{cents / 100:,.2f} {currency}".strip()


class TokenForm(forms.Form):
    """An API token; what was typed is never shown again."""

    token = forms.CharField(
        label="API token",
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Prolific makes one on its page “API tokens”. It can do all that your account can.",
    )


class DraftForm(forms.Form):
    """What Prolific shows people, and pays."""

    name = forms.CharField(label="Title on Prolific", max_length=120)
    description = forms.CharField(
        label="Description on Prolific", max_length=3_000, widget=forms.Textarea(attrs={"rows": 4})
    )
    places = forms.IntegerField(label="Places", min_value=1, max_value=100_000)
    minutes = forms.IntegerField(label="Minutes it takes", min_value=1, max_value=600)
    reward = forms.DecimalField(
        label="Reward of each person", min_value=0.01, max_value=10_000, decimal_places=2
    )
    devices = forms.MultipleChoiceField(
        label="People may take part on", choices=_DEVICES, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, proposal: Draft, currency: str, **kwargs: Any) -> None:
        initial = {
            "name": proposal.name,
            "description": proposal.description,
            "places": proposal.places,
            "minutes": proposal.minutes,
            "reward": f"{proposal.reward / 100:.2f}",
            "devices": list(proposal.devices),
        }
        kwargs["initial"] = initial
        super().__init__(*args, **kwargs)
        told = {
            "places": "As many people as give every image its votes. More can be added later, never fewer.",
            "minutes": "As people are told before they begin.",
            "reward": f"In {currency or 'the currency of your account'}. Prolific asks for 6 pounds or 8 dollars an hour at least.",
        }
        for name, text in told.items():
            self.fields[name].help_text = text
        self.fields["reward"].widget.attrs["step"] = "0.01"

    def draft(self) -> Draft:
        """Return what a valid form says."""
        said = self.cleaned_data
        return Draft(
            name=said["name"],
            description=said["description"],
            places=said["places"],
            minutes=said["minutes"],
            reward=round(said["reward"] * 100),
            devices=tuple(device for device in DEVICES if device in said["devices"]),
        )


class PlacesForm(forms.Form):
    """How many places there are to be in all."""

    def __init__(self, *args: Any, now: int, **kwargs: Any) -> None:
        kwargs["initial"] = {"places": now + 10}
        super().__init__(*args, **kwargs)
        field = forms.IntegerField(label="Places in all", min_value=now + 1, max_value=100_000)
        field.help_text = f"Now {now}. Prolific lets places be added, never taken away."
        self.fields["places"] = field
