"""An oTree project that asks what the survey's load study asks: 60 images, 1 to 5. See benchmarks/survey_load.py."""

from __future__ import annotations

from os import environ

SESSION_CONFIGS = [{"name": "rate", "app_sequence": ["rate"], "num_demo_participants": 1}]
SESSION_CONFIG_DEFAULTS = {"real_world_currency_per_point": 1.0, "participation_fee": 0.0}
ROOMS: list[dict[str, str]] = []
LANGUAGE_CODE = "en"
REAL_WORLD_CURRENCY_CODE = "USD"
USE_POINTS = True
ADMIN_USERNAME = "admin"
ADMIN_PASSWORD = environ.get("OTREE_ADMIN_PASSWORD")
SECRET_KEY = environ.get("OTREE_SECRET_KEY", "only for this benchmark")
