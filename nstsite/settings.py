"""Settings of nstsite, all from the environment (or a file `.env`); docs/reference/configuration.md lists them.

One file serves development, tests and production: the defaults are those of production on one machine.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.FileAwareEnv()
env.read_env(BASE_DIR / ".env")

# Only the program's user may read its files: the database, images, keys, logs and exports.
os.umask(0o077)

# One folder for everything that the program makes, so that only one needs a backup.
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(DATA_DIR / "media"))).resolve()
WEIGHTS_DIR = Path(env.str("WEIGHTS_DIR", default=str(DATA_DIR / "weights"))).resolve()
for _folder in (DATA_DIR, MEDIA_ROOT, WEIGHTS_DIR):
    _folder.mkdir(parents=True, exist_ok=True)


def _secret_key() -> str:
    """Return SECRET_KEY, or a key created at the first start and stored, readable only by its owner."""
    if key := env.str("SECRET_KEY", default=""):
        return str(key)
    path = DATA_DIR / "secret_key"
    try:
        # Mode "x": if several workers start together, one writes and the others read.
        with path.open("x") as file:
            path.chmod(0o600)
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text()


SECRET_KEY = _secret_key()
# Keys from before SECRET_KEY was replaced: what they signed or encrypted is still read.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
DEBUG = env.bool("DEBUG", default=False)
DEFAULT_EXCEPTION_REPORTER_FILTER = "nstsite.reports.Discreet"
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "survey",
    "generator",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
]

# "procrastinate": image sets can be made by workers on many hosts, through PostgreSQL (see docs/how-to/operations.md).
GENERATOR_EXECUTOR = env.str("GENERATOR_EXECUTOR", default="local")
if GENERATOR_EXECUTOR == "procrastinate":
    INSTALLED_APPS.append("procrastinate.contrib.django")
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "queue.tasks"

MIDDLEWARE = [
    "nstsite.requests.RequestLog",
    # First, so that responses of the other middleware get the policy, too.
    "csp.middleware.CSPMiddleware",
    "nstsite.nul.refuse_nul",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "nstsite.desk_language.DeskLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "nstsite.second_factor.SecondFactor",
    "nstsite.sign_in.keep_sessions_alive",
    "nstsite.sign_in.remember_browser",
    "nstsite.bodies.bound_bodies",
    "nstsite.nul.refuse_nul_in_forms",
    # Pages need sign-in by default; participants' pages have @login_not_required.
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "nstsite.throttle.StartThrottle",
    "nstsite.shared_pages.SharedPages",
    "nstsite.outages.Outages",
]

ROOT_URLCONF = "nstsite.urls"
WSGI_APPLICATION = "nstsite.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["survey.templatetags.help"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "nstsite.context.version",
            ],
        },
    }
]

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'nstsite.sqlite3'}")}
_database = DATABASES["default"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE: otherwise a transaction that reads and then writes fails with "database is locked" if another
    # one writes in between, whatever the timeout.
    _database["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # Connections stay open: opening one takes longer than a rating, and closing the last one checkpoints the WAL.
    _database["CONN_MAX_AGE"] = None
    # A file, because threads of the test server cannot share an in-memory database.
    _database["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    # The pool replaces persistent connections, which gthread workers cannot share. It checks each connection before
    # use. Otherwise the first request on each would fail after a restart of the database.
    _database["CONN_MAX_AGE"] = 0
    _database["CONN_HEALTH_CHECKS"] = True
    _database["OPTIONS"] = {
        "pool": {"min_size": 1, "max_size": 8, "timeout": 20},
        "connect_timeout": 5,
        # A database host without power says nothing: a request waits for it no longer than the browser does.
        "keepalives_idle": 5,
        "keepalives_interval": 5,
        "keepalives_count": 2,
        "tcp_user_timeout": 15_000,
    }

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        # More than the possible number of counters of nstsite.throttle.
        "OPTIONS": {"MAX_ENTRIES": 600_000},
    }
}

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "studies"
LOGOUT_REDIRECT_URL = "sign_in"

# nstsite.sign_in counts by account and network. A hash of the network is stored in the column for the user agent.
AXES_HANDLER = "nstsite.sign_in.GrowingWaits"
AXES_LOCKOUT_PARAMETERS = [["username", "user_agent"]]
# No `ip_address` there, for the reason above.
SILENCED_SYSTEM_CHECKS = ["axes.W006"]
AXES_CLIENT_IP_CALLABLE = "nstsite.privacy.no_address"
AXES_WHITELIST_CALLABLE = "nstsite.sign_in.is_known_browser"
AXES_LOCKOUT_CALLABLE = "nstsite.sign_in.please_wait"
# Wrong passwords or codes before the first wait: nstsite.sign_in.wait_after.
AXES_FAILURE_LIMIT = 5
# Hours for which failed sign-ins are counted.
AXES_COOLOFF_TIME = 24
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False

# Who must have a second factor: "optional" for nobody, "admins" or "all".
SECOND_FACTOR = env.str("SECOND_FACTOR", default="optional")
if SECOND_FACTOR not in ("optional", "admins", "all"):
    raise ImproperlyConfigured("SECOND_FACTOR is optional, admins or all.")
# The name that authenticator apps show.
OTP_TOTP_ISSUER = "Image ratings"

# Lifetime of a sign-in, extended while the site is used.
SESSION_COOKIE_AGE = round(3600 * env.float("SESSION_HOURS", default=8))

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français"), ("de", "Deutsch"), ("es", "Español")]
TIME_ZONE = "UTC"
USE_TZ = True

# Of a form without files. nstsite.bodies keeps most requests to a quarter of it.
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1_048_576
# A form has seven fields for each image of a study.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 40_000

# Otherwise Django makes its files readable by all, whatever the umask.
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
MEDIA_URL = "media/"
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if _bucket := env.str("MEDIA_S3_BUCKET", default=""):
    from botocore.config import Config  # type: ignore[import-untyped]

    # Keys come from the environment or the host's role, as boto3 finds them.
    STORAGES["default"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": _bucket,
            "endpoint_url": env.str("MEDIA_S3_ENDPOINT", default="") or None,
            "region_name": env.str("MEDIA_S3_REGION", default="") or None,
            "object_parameters": {"CacheControl": "max-age=31536000, immutable"},
            "file_overwrite": False,
            # Short timeouts, so that an unreachable store does not block threads.
            "client_config": Config(connect_timeout=3, read_timeout=20, retries={"max_attempts": 2}),
        },
    }
# URL from which participants' browsers fetch images directly; "" to serve them through this server.
MEDIA_PUBLIC_URL = env.str("MEDIA_PUBLIC_URL", default="")
_media_origin = ["{0.scheme}://{0.netloc}".format(urlsplit(MEDIA_PUBLIC_URL))] if MEDIA_PUBLIC_URL else []

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "img-src": ["'self'", "data:", "blob:", *_media_origin],
        "style-src": ["'self'"],
        "script-src": ["'self'"],
        "connect-src": ["'self'", *_media_origin],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}

# One switch for HTTPS; off for `make serve` on 127.0.0.1.
HTTPS = env.bool("HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"

# Limit on new participants of a network in a minute; 0 for no limit.
STARTS_PER_MINUTE = env.int("STARTS_PER_MINUTE", default=120)
# Limit on results by share link that are made for a network in a minute; 0 for no limit.
LINK_PAGES_PER_MINUTE = env.int("LINK_PAGES_PER_MINUTE", default=120)
# How many proxies in front of this server append to X-Forwarded-For; 0: the connection's own address is the client's.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
# The bearer token for /metrics. Without one, /metrics answers 404.
METRICS_KEY = env.str("METRICS_KEY", default="")

# Where Prolific's API is asked; another address is for tests of this site, which run on this machine.
PROLIFIC_API = env.str("PROLIFIC_API", default="https://api.prolific.com").rstrip("/")
_prolific = urlsplit(PROLIFIC_API)
if _prolific.scheme != "https" and (_prolific.scheme, _prolific.hostname) != ("http", "127.0.0.1"):
    raise ImproperlyConfigured("PROLIFIC_API must be an https address: a token is sent there.")

LOG_FORMAT = env.str("LOG_FORMAT", default="text")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "nstsite.requests.AddRequestId"},
        "no_secrets": {"()": "nstsite.requests.HideSecrets"},
        "no_unavailable": {"()": "nstsite.requests.HideUnavailable"},
    },
    "formatters": {
        "text": {"format": "{asctime} {levelname} {name} [{request_id}]: {message}", "style": "{"},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "{asctime}{levelname}{name}{request_id}{message}",
            "style": "{",
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["request_id", "no_secrets"],
        }
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
    "loggers": {
        # Django gives these two loggers handlers that would write whole URLs.
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # nstsite.requests logs each response; this is for faults alone.
        "django.request": {"level": "ERROR", "filters": ["no_unavailable"]},
        # Scanners request arbitrary hosts all the time; each would log a traceback.
        "django.security.DisallowedHost": {"level": "CRITICAL", "propagate": False},
    },
}
