"""The addresses of accounts: one's own, everybody's, and the links that make one or set a password."""

from __future__ import annotations

from django.urls import URLPattern, path

from survey.desk.pages.accounts import doors, own, people, sign_in, tokens

urlpatterns: list[URLPattern] = [
    path("sign-in/code/", sign_in.code, name="sign_in_code"),
    path("join/<str:token>/", doors.join, name="join"),
    path("new-password/<str:token>/", doors.new_password, name="new_password"),
    path("account/", tokens.account, name="account"),
    path("account/tokens/<int:pk>/revoke/", tokens.revoke_token, name="revoke_token"),
    path("account/password/", own.password, name="password_change"),
    path("account/second-factor/", own.factor, name="second_factor"),
    path("accounts/", people.people, name="accounts"),
    path("accounts/<int:pk>/", people.person, name="account_of"),
    path("accounts/invitations/<int:pk>/end/", people.uninvite, name="uninvite"),
]
