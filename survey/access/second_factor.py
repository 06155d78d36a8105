"""The second factor: codes of an authenticator app (TOTP, RFC 6238) and recovery codes, by django-otp.

django-otp checks and counts codes, and lets none be used twice. Recovery codes are stored as keyed hashes, which its own
comparison finds.
"""

from __future__ import annotations

import re
from base64 import b32encode
from typing import Final

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.utils.crypto import salted_hmac
from django_otp import verify_token
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from survey.access.audit import record
from survey.access.errors import DeskError
from survey.models import new_code

RECOVERY_CODES: Final = 10
_SALT: Final = "survey.access.second_factor"
_APP: Final = re.compile(r"\d{6}")


def is_on(user: User | AnonymousUser) -> bool:
    """Return whether signing in to an account needs a second factor."""
    return user.is_authenticated and TOTPDevice.objects.filter(user=user, confirmed=True).exists()


def accounts_with() -> set[int]:
    """Return the accounts that have a second factor, by their keys."""
    return set(TOTPDevice.objects.filter(confirmed=True).values_list("user_id", flat=True))


def is_required(user: User) -> bool:
    """Return whether the installation (SECOND_FACTOR) asks this account for one."""
    wanted = settings.SECOND_FACTOR
    return bool(wanted == "all" or (wanted == "admins" and user.is_superuser))


def check(user: User, code: str) -> TOTPDevice | None:
    """Return the account's device if this is its code, or a recovery code, and spend the code.

    None for a wrong code, a spent one, and one that comes too early after a wrong one.
    """
    code = re.sub(r"[\s-]", "", code).upper()
    by_app = bool(_APP.fullmatch(code))
    model = TOTPDevice if by_app else StaticDevice
    device = model.objects.filter(user=user, confirmed=True).first()
    if device is None:
        return None
    with transaction.atomic():
        if not verify_token(user, device.persistent_id, code if by_app else _hashed(user, code)):
            return None
        if not by_app:
            record("factor.recovery", None, user, left=codes_left(user))
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def codes_left(user: User) -> int:
    """Return how many recovery codes are unused."""
    return int(StaticToken.objects.filter(device__user=user).count())


@transaction.atomic
def begin(user: User) -> TOTPDevice:
    """Return the account's new key, which counts only after `confirm`.

    Raises:
        DeskError: If the second factor is on already.
    """
    if is_on(user):
        raise DeskError("Your second factor is on already. Switch it off first.")
    TOTPDevice.objects.filter(user=user).delete()
    return TOTPDevice.objects.create(user=user, name="authenticator app", confirmed=False)


def waiting(user: User) -> TOTPDevice | None:
    """Return the key that waits for its first code."""
    return TOTPDevice.objects.filter(user=user, confirmed=False).first()


def key_of(device: TOTPDevice) -> str:
    """Return a key as people type it: Base32 in groups of four."""
    text = b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


@transaction.atomic
def confirm(user: User, code: str) -> tuple[TOTPDevice, list[str]] | None:
    """Switch the second factor on by the first code of its key.

    Returns:
        The device and its recovery codes, which cannot be shown again; None for a wrong code.
    """
    device = waiting(user)
    code = re.sub(r"\s", "", code)
    if device is None or not _APP.fullmatch(code) or not verify_token(user, device.persistent_id, code):
        return None
    device.refresh_from_db()
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    record("factor.on", None, user)
    return device, _new_codes(user)


@transaction.atomic
def new_codes(user: User) -> list[str]:
    """Replace the recovery codes, used or not, and return the new ones."""
    record("factor.codes", None, user)
    return _new_codes(user)


@transaction.atomic
def remove(user: User, by: User | None) -> None:
    """Switch a second factor off: one's own, or, for an administrator, that of a lost phone."""
    found = TOTPDevice.objects.filter(user=user, confirmed=True).exists()
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
    if found and by == user:
        record("factor.off", None, user)
    elif found:
        record("factor.remove", None, by, account=user.get_username())


def _new_codes(user: User) -> list[str]:
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="recovery codes")
    codes = [new_code(10) for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=_hashed(user, code)) for code in codes)
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _hashed(user: User, code: str) -> str:
    # 64 bits, the room of django-otp's column; keyed, so that the 49 bits of a code cannot be searched for without the key.
    return salted_hmac(_SALT, f"{user.pk} {code}", algorithm="sha256").hexdigest()[:16]
