"""Every setting, read once from the environment. A secret may come from a file: NAME_FILE names it.

Nothing secret has a default: a process that misses one refuses to start and says which (.env.example explains each).
"""

from pathlib import Path
from urllib.parse import urlsplit

import django_stubs_ext
import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from fleet import environment
from fleet.redis_urls import celery_broker_url

BASE_DIR = Path(__file__).resolve().parent.parent

# Lets Django's generic classes be written with their types, as mypy wants them.
django_stubs_ext.monkeypatch()

environment.load()
env = environ.FileAwareEnv()


def required(name: str) -> str:
    """A setting without a default. Raises ImproperlyConfigured, naming it, when it is not set."""
    value: str = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(
            f"{name} is not set. Copy .env.example to .env and fill it in; "
            "beside a demo, run with ENV_FILE=var/demo.env."
        )
    return value


# The process
DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("DEMO", default=False)
SECRET_KEY = required("DJANGO_SECRET_KEY")
SITE_URL = required("SITE_URL").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[urlsplit(SITE_URL).hostname or ""])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[SITE_URL])
FIELD_ENCRYPTION_KEYS = [key.strip() for key in required("FIELD_ENCRYPTION_KEYS").split(",") if key.strip()]

INSTALLED_APPS = [
    # In front of accounts, whose admin takes the place of theirs.
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "demo.apps.DemoConfig",
    "fleet.apps.ProjectConfig",
    "dashboard.apps.DashboardConfig",
    "webhooks.apps.WebhooksConfig",
    "commands.apps.CommandsConfig",
    "connect.apps.ConnectConfig",
    "alerts.apps.AlertsConfig",
    "vehicles.apps.VehiclesConfig",
    "accounts.apps.AccountsConfig",
    "core.apps.CoreConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django_htmx",
    "csp",
    "rest_framework",
    "drf_spectacular",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Pages repeat themselves. What is secret in them is masked anew each time (csrf_token), and their length varies.
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "fleet.middleware.SpokenLanguage",
    "fleet.middleware.FleetTime",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "fleet.middleware.sign_in_whole_page",
]

ROOT_URLCONF = "fleet.urls"
ASGI_APPLICATION = "fleet.asgi.application"

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
                "fleet.context_processors.product",
            ],
            "builtins": ["core.templatetags.icons", "dashboard.templatetags.display"],
        },
    }
]

# PostgreSQL. The pool keeps connections open between requests: Django is several times slower without it.
DATABASES = {"default": {**env.db_url_config(required("DATABASE_URL")), "CONN_MAX_AGE": 0}}
DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
    "min_size": 1,
    "max_size": env.int("DATABASE_POOL_SIZE", default=16),
    "timeout": 10,
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Redis
REDIS_URL = required("REDIS_URL")

# Celery. The broker is only a doorbell, so nothing is lost with it; what it redelivers may run twice.
# visibility_timeout stays above the longest task (a v3 command is read for up to 310 s).
CELERY_BROKER_URL = celery_broker_url(REDIS_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 420,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 400
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"commands.tasks.send": {"queue": "commands"}}
# How many cars the worker of the queue "commands" can wait for at once, and how many of those may be cars of commands
# to many: the rest is kept for single commands, which so never wait behind slow cars.
COMMAND_THREADS = env.int("COMMAND_THREADS", default=48)
COMMANDS_AT_ONCE = max(1, COMMAND_THREADS * 2 // 3)
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BEAT_SCHEDULE = {
    "sweep the inbox": {"task": "webhooks.tasks.process_inbox", "schedule": 5},
    "release the quarantine": {"task": "webhooks.tasks.release_quarantined", "schedule": 30},
    "read silent cars": {"task": "webhooks.tasks.read_silent", "schedule": 120},
    "tidy the inbox": {"task": "webhooks.tasks.tidy_inbox", "schedule": 3600},
    "sweep commands": {"task": "commands.tasks.sweep", "schedule": 5},
    "dispatch bulk commands": {"task": "commands.tasks.dispatch", "schedule": 5},
    "refresh tokens": {"task": "connect.tasks.refresh_tokens", "schedule": 3600},
    "end what was replaced": {"task": "webhooks.tasks.retire_replaced", "schedule": 60},
    "send due emails": {"task": "core.tasks.send_due_emails", "schedule": 30},
    "purge emails": {"task": "core.tasks.purge_emails", "schedule": crontab(hour=3, minute=29)},
    "move generations": {"task": "connect.tasks.move_generations", "schedule": 10},
    "complete connections": {"task": "connect.tasks.complete_connections", "schedule": 10},
    "watch connections": {"task": "connect.tasks.watch_connections", "schedule": 120},
    "find overlooked notices": {"task": "connect.tasks.find_notices", "schedule": 300},
    "post notices": {"task": "alerts.tasks.post_notices", "schedule": 60},
    "tidy notices": {"task": "alerts.tasks.tidy_notices", "schedule": crontab(hour=3, minute=17)},
    "hide places": {"task": "connect.tasks.hide_places", "schedule": 60},
    "sum up history": {"task": "vehicles.tasks.sum_up", "schedule": 60},
    "keep history": {"task": "vehicles.tasks.keep_history", "schedule": 3600},
    # At night in Europe and the evening in America, away from the full hour at which everybody else asks.
    "compare connections": {
        "task": "connect.tasks.compare_connections",
        "schedule": crontab(hour=2, minute=41),
    },
    "sweep removals": {"task": "connect.tasks.sweep_removals", "schedule": 30},
}

# E-mail to drivers and members, such as smtp+tls://user:password@mail.example.com:587. Without it links are copied by
# hand, and nobody can reset a forgotten password;
# a demo writes its letters to the worker's output.
_email_url = env.str("EMAIL_URL", default="consolemail://" if DEBUG or DEMO else "")
EMAIL_OFFERED = bool(_email_url)
globals().update(env.email_url_config(_email_url or "dummymail://"))
# Seconds for each step of the conversation with the mail server.
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"fleet@{urlsplit(SITE_URL).hostname}")

# People
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "accounts:sign_in"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Signing in, by django-allauth. Nobody signs up by themselves: members are invited (accounts/members). How often a
# wrong password may be tried is allauth's own choice, counted in the cache.
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_REAUTHENTICATION_METHODS = ["password", "mfa"]
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "set_password": "accounts.forms.SetPasswordForm",
    "reset_password": "accounts.forms.PasswordResetForm",
    "reset_password_from_key": "accounts.forms.NewPasswordForm",
    "add_email": "accounts.forms.ChangeAddressForm",
    "reauthenticate": "accounts.forms.ConfirmByPasswordForm",
}
MFA_ADAPTER = "accounts.adapters.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "accounts.forms.SecondFactorForm",
    "reauthenticate": "accounts.forms.ConfirmByCodeForm",
    "activate_totp": "accounts.forms.AddAppForm",
    "login_webauthn": "accounts.forms.PasskeySignInForm",
    "authenticate_webauthn": "accounts.forms.SecondFactorByPasskeyForm",
    "reauthenticate_webauthn": "accounts.forms.ConfirmByPasskeyForm",
    "add_webauthn": "accounts.forms.AddPasskeyForm",
    "edit_webauthn": "accounts.forms.RenamePasskeyForm",
}
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_TOTP_ISSUER = "Smartcar Fleet"
# A clock that is half a minute wrong is no reason to keep anybody out.
MFA_TOTP_TOLERANCE = 1
# An address that is being changed is no reason to refuse a second factor.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# How many proxies stand in front: without the right number every visitor has the proxy's address, and one of them who
# tries passwords keeps all others out.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=1 if SITE_URL.startswith("https://") else 0)

# The API (docs/api.md). Calls are counted in Redis, and without Redis by each process for itself.
CACHES = {
    "default": {
        "BACKEND": "core.cache.FallbackRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api.throttles.ReadThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "reads": f"{env.int('API_READS_PER_MINUTE', default=600)}/minute",
        "commands": f"{env.int('API_COMMANDS_PER_MINUTE', default=60)}/minute",
    },
    "DEFAULT_RENDERER_CLASSES": ["core.api.renderers.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.JsonParser"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.Schema",
    "EXCEPTION_HANDLER": "core.api.exceptions.handle",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Smartcar Fleet",
    "DESCRIPTION": "Reads a fleet's cars, their signals with age and source, and their history; sends commands.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v[0-9]+",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "CommandStateEnum": "commands.models.CommandState",
        "DeliveryStateEnum": "webhooks.models.EntryState",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.api.schema.add_error_responses",
    ],
}

# Language, time, static files
# Members are spoken to in these (fleet.middleware.SpokenLanguage), and drivers (connect/driver_language.py).
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français")]
LOCALE_PATHS = [BASE_DIR / "var" / "locale"]
FORMAT_MODULE_PATH = ["core.formats"]
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "var" / "static"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "core.staticfiles.NodePackagesFinder",
]
# Hashed names come from collectstatic; tests serve the files as they lie.
STATIC_HASHED = env.bool("STATIC_HASHED", default=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "core.staticfiles.Storage"
        if STATIC_HASHED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["jpg", "png", "gif", "webp", "gz", "br", "woff", "woff2", "map"]
WHITENOISE_MIMETYPES = {".mjs": "text/javascript"}

# Behind the browser: one strict policy. MapLibre starts its worker from a blob.
MAP_STYLE_URL = env.str("MAP_STYLE_URL", default="")
_map_origin = [f"{(u := urlsplit(MAP_STYLE_URL)).scheme}://{u.netloc}"] if MAP_STYLE_URL else []
_map_origins = _map_origin + env.list("MAP_ORIGINS", default=[])
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:", *_map_origins],
        "font-src": [SELF, *_map_origins],
        "connect-src": [SELF, *_map_origins],
        "worker-src": [SELF, "blob:"],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_SSL_REDIRECT = False
if not DEBUG and SITE_URL.startswith("https://"):
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
    # Whether other names of the domain are on https too is not ours to say.
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
# A field for each car that is chosen for a bulk command.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 6000

# How many days the inbox keeps a message that was recorded, and one that was set aside (webhooks.retention).
INBOX_DAYS = env.int("INBOX_DAYS", default=30)
INBOX_ASIDE_DAYS = env.int("INBOX_ASIDE_DAYS", default=180)

# Smartcar. Four different credentials; which is which: docs/smartcar-application.md. Where Smartcar's SDK has
# a name for an origin, it is that name.
SMARTCAR_APPLICATION_ID = env.str("SMARTCAR_APPLICATION_ID", default="")
SMARTCAR_APPLICATION_SECRET = env.str("SMARTCAR_APPLICATION_SECRET", default="")
SMARTCAR_CLIENT_ID = env.str("SMARTCAR_CLIENT_ID", default="")
SMARTCAR_CLIENT_SECRET = env.str("SMARTCAR_CLIENT_SECRET", default="")
SMARTCAR_MANAGEMENT_TOKENS = env.list("SMARTCAR_MANAGEMENT_TOKENS", default=[])
SMARTCAR_WEBHOOK_ID = env.str("SMARTCAR_WEBHOOK_ID", default="")
SMARTCAR_GENERATION = env.str("SMARTCAR_GENERATION", default="v3")
# Whether fleets may use v2, which Smartcar has announced to end on 2026-12-01. Without it pages mention v2 only to
# fleets that still have vehicles on it.
SMARTCAR_V2_OFFERED = env.bool("SMARTCAR_V2_OFFERED", default=True)
SMARTCAR_MODE = env.str("SMARTCAR_MODE", default="live")
SMARTCAR_ORIGINS = {
    "connect": env.str("SMARTCAR_CONNECT_ORIGIN", default="https://connect.smartcar.com"),
    "auth": env.str("SMARTCAR_AUTH_ORIGIN", default="https://auth.smartcar.com/oauth/token"),
    "api": env.str("SMARTCAR_API_ORIGIN", default="https://api.smartcar.com"),
    "management": env.str("SMARTCAR_MANAGEMENT_API_ORIGIN", default="https://management.smartcar.com"),
    "iam": env.str("SMARTCAR_IAM_ORIGIN", default="https://iam.smartcar.com"),
    "vehicle": env.str("SMARTCAR_VEHICLE_API_V3_ORIGIN", default="https://vehicle.api.smartcar.com"),
    "management_v3": env.str(
        "SMARTCAR_MANAGEMENT_API_V3_ORIGIN", default="https://management.api.smartcar.com"
    ),
    "compatibility": env.str(
        "SMARTCAR_COMPATIBILITY_ORIGIN", default="https://compatibility.api.smartcar.com"
    ),
}

# What Smartcar grants each application: requests at once (0: no limit), and how many it regains a minute. A larger
# grant is to be asked of Smartcar first. And what the plan has for each car and month, unless a fleet says otherwise.
SMARTCAR_REQUEST_BUCKET = env.int("SMARTCAR_REQUEST_BUCKET", default=120)
SMARTCAR_REQUEST_REFILL = env.float("SMARTCAR_REQUEST_REFILL", default=2.0)
SMARTCAR_MONTHLY_ALLOWANCE = env.int("SMARTCAR_MONTHLY_ALLOWANCE", default=500)

# Who may read /metrics besides this machine itself: whoever sends this as a bearer token.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "core.log_format.LineFormatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    # httpx logs each request's whole address, and an address may hold a user id; fido2 logs whose passkey it saw.
    # Celery would log each ring of the doorbell twice.
    "loggers": {
        name: {"level": "WARNING"}
        for name in ("httpx", "httpcore", "urllib3", "fido2", "celery.app.trace", "celery.worker.strategy")
    },
}
