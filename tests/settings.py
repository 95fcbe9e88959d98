"""The portal's own settings under a fixed environment, so that no developer's variable changes what is tested."""

import os

os.environ.update(
    SECRET_KEY="tests-only-secret-key-that-is-long-enough-for-every-check-of-django",
    DEBUG="off",
    DEMO="on",
    HTTPS="off",
    CALLCAP_API_URL="http://127.0.0.1:9",
    CALLCAP_API_KEY="sandbox-key",
    CALLCAP_TIMEOUT="5",
    EMAIL_URL="memorymail://",
    CACHE_URL="dbcache://portal_cache",
    # Most tests want an approved order carried out at once; those about undoing set their own time.
    APPROVAL_UNDO_SECONDS="0",
)
os.environ.setdefault("DATABASE_URL", "sqlite:///var/test-unused.sqlite3")

from portal.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
ACCOUNT_RATE_LIMITS = False
# A server in a thread must not keep a connection after its request: the test database could not be dropped then.
DATABASES["default"]["CONN_MAX_AGE"] = 0  # noqa: F405
