"""What the vault keeps nobody reads in the database, and it outlives a new secret key."""

from __future__ import annotations

import pytest

from survey.access.vault import CannotOpen, lock, relock, unlock


def test_what_is_kept_comes_back_and_does_not_show():
    kept = lock("a secret", "thing 1")
    assert "secret" not in kept
    assert kept != lock("a secret", "thing 1")
    assert unlock(kept, "thing 1") == "a secret"


def test_what_was_kept_for_one_thing_opens_for_no_other():
    with pytest.raises(CannotOpen):
        unlock(lock("a secret", "thing 1"), "thing 2")


def test_a_former_key_opens_until_it_is_taken_away(settings):
    settings.SECRET_KEY = "old"
    kept = lock("a secret", "thing")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["old"]
    renewed = relock(kept, "thing")
    assert unlock(kept, "thing") == unlock(renewed, "thing") == "a secret"
    settings.SECRET_KEY_FALLBACKS = []
    assert unlock(renewed, "thing") == "a secret"
    with pytest.raises(CannotOpen, match="Give it again"):
        unlock(kept, "thing")


@pytest.mark.parametrize("kept", ["", "x", "gAAAAA", "€"])
def test_what_never_was_a_secret_is_refused(kept):
    with pytest.raises(CannotOpen):
        unlock(kept, "thing")
