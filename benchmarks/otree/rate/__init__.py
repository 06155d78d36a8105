"""One image a round, rated 1 to 5."""

from __future__ import annotations

from otree.api import BaseConstants, BaseGroup, BasePlayer, BaseSubsession, Page, models, widgets


class C(BaseConstants):
    NAME_IN_URL = "rate"
    PLAYERS_PER_GROUP = None
    NUM_ROUNDS = 60


class Subsession(BaseSubsession):
    pass


class Group(BaseGroup):
    pass


class Player(BasePlayer):
    overall = models.IntegerField(choices=[1, 2, 3, 4, 5], widget=widgets.RadioSelect)


class Rate(Page):
    form_model = "player"
    form_fields = ["overall"]


page_sequence = [Rate]
