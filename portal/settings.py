"""Settings of the numbers portal, all by environment; ``.env.example`` lists every variable with its default."""

import logging
import mimetypes
from pathlib import Path
from urllib.parse import urlsplit

from django.utils.csp import CSP

from portal.environment import Environment
from portal.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
environment = Environment()

# --- what every installation decides -------------------------------------------------------------------------------
SECRET_KEY = environment.text("SECRET_KEY")
DEBUG = environment.switch("DEBUG", default=False)
DEMO = environment.switch("DEMO", default=False)
HTTPS = environment.switch("HTTPS", default=False)
SITE_URL = environment.url("SITE_URL", "http://localhost:8000")
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = environment.words("CSRF_TRUSTED_ORIGINS", [])
TRUSTED_PROXY_COUNT = environment.whole("TRUSTED_PROXY_COUNT", 0, least=0, most=10)

# --- the vendor ----------------------------------------------------------------------------------------------------
CALLCAP_API_URL = environment.url("CALLCAP_API_URL", "https://api.callcap.com")
CALLCAP_API_KEY = environment.text("CALLCAP_API_KEY")
CALLCAP_TIMEOUT = environment.number("CALLCAP_TIMEOUT", 15, least=1, most=50)
CALLCAP_POST_ENCODING = environment.choice("CALLCAP_POST_ENCODING", "form", ("form", "json"))
CALLCAP_TIME_ZONE = environment.time_zone("CALLCAP_TIME_ZONE", "America/Chicago")
CALLCAP_MAX_PER_SECOND = environment.number("CALLCAP_MAX_PER_SECOND", 0, least=0, most=1000)
CALLCAP_SETTLE_SECONDS = environment.whole("CALLCAP_SETTLE_SECONDS", 900, least=0, most=86_400)
CALLCAP_MAX_ANSWER_BYTES = environment.whole("CALLCAP_MAX_ANSWER_BYTES", 5_000_000, least=10_000, most=100_000_000)

# --- orders ---------------------------------------------------------------------------------------------------------
# An approval takes effect after this time; until then it can be undone.
APPROVAL_UNDO_SECONDS = environment.whole("APPROVAL_UNDO_SECONDS", 10, least=0, most=300)
ORDER_EXPIRY_DAYS = environment.whole("ORDER_EXPIRY_DAYS", 14, least=1, most=365)
ORDER_REMINDER_DAYS = environment.whole("ORDER_REMINDER_DAYS", 3, least=0, most=364)
if ORDER_REMINDER_DAYS >= ORDER_EXPIRY_DAYS:
    environment.refuse("ORDER_REMINDER_DAYS", "must be less than ORDER_EXPIRY_DAYS.")
MONTHLY_PRICE_LOCAL = environment.price("MONTHLY_PRICE_LOCAL")
MONTHLY_PRICE_TOLLFREE = environment.price("MONTHLY_PRICE_TOLLFREE")
PRICE_CURRENCY = environment.text("PRICE_CURRENCY", "USD")

# --- the history ---------------------------------------------------------------------------------------------------
HISTORY_SIGNING_KEY = environment.signing_key("HISTORY_SIGNING_KEY")
# Public keys of signing keys that were in use before: their checkpoints still count.
HISTORY_FORMER_PUBLIC_KEYS = environment.words("HISTORY_FORMER_PUBLIC_KEYS", [])
# Signed checkpoints, kept outside the database as well.
CHECKPOINT_FILE = BASE_DIR / environment.text("CHECKPOINT_FILE", "var/history-checkpoints.jsonl")
# The newest entry, kept outside the database: one that lacks it is a restored backup.
HISTORY_HEAD_FILE = BASE_DIR / environment.text("HISTORY_HEAD_FILE", "var/history-head.json")

# --- the application -----------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "numbers_app",
    "portal.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_filters",
    "django_htmx",
    "django_structlog",
    "django_tasks_db",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.middleware.RequestIdMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "portal.middleware.ReaderTimeZoneMiddleware",
    "portal.middleware.FragmentMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "numbers_app.context_processors.shell",
            ],
        },
    },
]

# --- data ----------------------------------------------------------------------------------------------------------
DATABASES = {"default": environment.database("DATABASE_URL", f"sqlite:///{BASE_DIR / 'var' / 'portal.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # IMMEDIATE: two writers wait for each other at the start instead of failing half-way.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL: a committed intent to buy survives a power cut.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
    # Threads of a live server and of the tests need a file, not a database in memory.
    DATABASES["default"]["TEST"] = {"NAME": BASE_DIR / "var" / "test.sqlite3"}
else:
    DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Shared by all processes: sign-in lock-outs and used one-time codes must be.
CACHES = {"default": environment.cache("CACHE_URL", "dbcache://portal_cache")}
if str(CACHES["default"]["BACKEND"]).endswith("DatabaseCache"):
    CACHES["default"]["OPTIONS"] = {"MAX_ENTRIES": 1_000_000}

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# --- people --------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "numbers_app.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "portal.accounts.InvitationOnlyAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
# Administrators enter the addresses; there is no sign-up to verify.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = True
# The subjects name the portal already.
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# A bookmarked sign-out must not be a state change on GET.
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]

# --- language, time, forms -----------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
TIME_ZONE = CALLCAP_TIME_ZONE
USE_I18N = True
USE_TZ = True
FORM_RENDERER = "numbers_app.form_rendering.PortalFormRenderer"
# The longest form is an order with long notes.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000
FILE_UPLOAD_HANDLERS = [
    "portal.uploads.LimitedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- files ---------------------------------------------------------------------------------------------------------
NODE_MODULES = BASE_DIR / "node_modules"
ICONS_DIR = NODE_MODULES / "bootstrap-icons" / "icons"
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("bootstrap", NODE_MODULES / "bootstrap" / "dist" / "css"),
    ("htmx", NODE_MODULES / "htmx.org" / "dist"),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if DEBUG:
    STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    WHITENOISE_USE_FINDERS = True
mimetypes.add_type("text/javascript", ".js", strict=True)

# --- mail ----------------------------------------------------------------------------------------------------------
MAILERS = {"default": environment.mailer("EMAIL_URL", "consolemail://")}
# For the history: without the password.
EMAIL_URL = environment.origin("EMAIL_URL", "consolemail://")
DEFAULT_FROM_EMAIL = environment.text("DEFAULT_FROM_EMAIL", f"numbers@{urlsplit(SITE_URL).hostname}")

# --- security ------------------------------------------------------------------------------------------------------
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "numbers_app.views.errors.csrf_failure"
# Browsers drop Secure and __Host- cookies on plain HTTP, so they come with HTTPS=on.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
if TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- logs ----------------------------------------------------------------------------------------------------------
LOG_FORMAT = environment.choice("LOG_FORMAT", "console", ("console", "json"))
LOGGING = logging_config(LOG_FORMAT)
# RequestIdMiddleware has put a harmless id there: the one that page and history show.
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True
# One line a request, when it is answered.
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
