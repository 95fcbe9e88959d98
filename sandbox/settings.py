"""Settings of the sandbox, all from the environment; the README lists the variables."""

import os
import secrets
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

SECRET_KEY = secrets.token_urlsafe()  # nothing is signed that would have to outlive the process
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "sandbox.urls"
INSTALLED_APPS = ["sandbox"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "sandbox.middleware.content_security_policy",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("SANDBOX_DATABASE") or str(ROOT / "var" / "sandbox.sqlite3"),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32000;",
        },
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False}},
}

SANDBOX_API_KEYS = [key.strip() for key in os.environ.get("SANDBOX_API_KEYS", "sandbox-key").split(",") if key.strip()]
SANDBOX_RESULT_CAP = int(os.environ.get("SANDBOX_RESULT_CAP") or 1000)
SANDBOX_LATENCY = float(os.environ.get("SANDBOX_LATENCY") or 0)
SANDBOX_SEED = os.environ.get("SANDBOX_SEED") or None
