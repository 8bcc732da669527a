"""Django's settings. Those that a site chooses are read from environment variables, through `env`.

docs/configuration.md and .env.example are generated from the declarations here (fleet/configuration_reference.py).
Secrets have no defaults: a process without one refuses to start and names the missing setting.
"""

from pathlib import Path
from urllib.parse import urlsplit

import django_stubs_ext
import environ
from csp.constants import NONE, SELF

from core import log_format
from fleet import api_description, environment
from fleet.beat_schedule import BEAT_SCHEDULE

BASE_DIR = Path(__file__).resolve().parent.parent

# Makes Django's generic classes subscriptable, as their type stubs require.
django_stubs_ext.monkeypatch()

environment.load()
env = environment.Environment()

env.section("Site")
SECRET_KEY = env.required(
    "DJANGO_SECRET_KEY",
    doc="Signs sessions and personal links. Any long random text: "
    '`python3 -c "import secrets; print(secrets.token_urlsafe(50))"`.',
)
FIELD_ENCRYPTION_KEYS = environment.split(
    env.required(
        "FIELD_ENCRYPTION_KEYS",
        doc="Keys that encrypt tokens and other secrets in the database, separated by commas, newest first. "
        "To rotate, add a new key in front and run `manage.py rotate_encryption_keys`. To create one: "
        '`python3 -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"`.',
    )
)
SITE_URL = env.required(
    "SITE_URL",
    example="https://fleet.example.com",
    doc="The site's public address. Smartcar redirects browsers to `SITE_URL/connect/callback/` and sends webhooks "
    "to `SITE_URL/webhooks/smartcar/`.",
).rstrip("/")
_HTTPS = SITE_URL.startswith("https://")
ALLOWED_HOSTS = env.items(
    "ALLOWED_HOSTS",
    default=[urlsplit(SITE_URL).hostname or ""],
    shown="the host of `SITE_URL`",
    doc="Host names the site answers to.",
)
CSRF_TRUSTED_ORIGINS = env.items(
    "CSRF_TRUSTED_ORIGINS", default=[SITE_URL], shown="`SITE_URL`", doc="Origins that forms can be sent from."
)
ALLAUTH_TRUSTED_PROXY_COUNT = env.integer(
    "TRUSTED_PROXY_COUNT",
    default=1 if _HTTPS else 0,
    shown="1 if `SITE_URL` is https, otherwise 0",
    doc="How many proxies in front of the site add to X-Forwarded-For. Sign-in attempts are limited by the visitor's "
    "address, so with a wrong number one visitor's attempts can lock out all others.",
    old_name="TRUSTED_PROXIES",
)
LOG_LEVEL = env.text("LOG_LEVEL", default="INFO", doc="DEBUG, INFO, WARNING or ERROR.")
METRICS_TOKEN = env.text(
    "METRICS_TOKEN",
    doc="Bearer token for `/metrics` (Prometheus). Without one, only the machine itself has access, at `127.0.0.1` or "
    "`localhost`.",
)
_REDIRECT_TO_HTTPS = env.boolean("SECURE_SSL_REDIRECT", default=True, doc="With https: redirect http to it.")
_HSTS_SECONDS = env.integer(
    "SECURE_HSTS_SECONDS",
    default=31_536_000,
    doc="With https: for how many seconds browsers use only https for this site (HSTS).",
)
DEBUG = env.boolean("DEBUG", default=False, doc="Django's debug mode. Never for a public site.")
DEMO = env.boolean("DEMO", default=False, doc="Set by `make demo`: pages show that the fleet is a demo.")
DEMO_EMAIL_FOLDER = env.text(
    "DEMO_EMAIL_FOLDER",
    doc="Set by `make demo`: the folder of the emails that the page `/demo/emails/` shows.",
)

INSTALLED_APPS = [
    # Before accounts, whose admin replaces allauth's.
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
    "accounts.apps.StaffAdminConfig",
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
    "core.request_ids.RequestIdMiddleware",
    "fleet.monitoring.MonitoringMiddleware",
    "core.api.rate_limits.RateLimitHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Safe against BREACH: the CSRF token is masked differently in each response, and the length of pages varies.
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "fleet.input_cleaning.InputCleaningMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "fleet.middleware.NoStoreMiddleware",
    "fleet.middleware.UserLocaleMiddleware",
    "fleet.middleware.FleetTimezoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "fleet.middleware.HtmxLoginRedirectMiddleware",
]

ROOT_URLCONF = "demo.urls" if DEMO else "fleet.urls"
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
                "fleet.context_processors.site",
            ],
            "builtins": [
                "core.templatetags.icons",
                "core.templatetags.dates",
                "vehicles.templatetags.signals",
            ],
        },
    }
]

env.section("Servers")
DATABASES = {
    "default": {
        **environ.Env.db_url_config(
            env.required(
                "DATABASE_URL",
                example="postgres://fleet:password@localhost:5432/fleet",
                doc="The PostgreSQL database. If empty, `manage.py` starts the embedded server while it runs.",
            )
        ),
        "CONN_MAX_AGE": 0,
    }
}
# Connections stay open between requests. Without the pool, Django is several times slower.
DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
    "min_size": 1,
    "max_size": env.integer("DATABASE_POOL_SIZE", default=16, doc="Database connections per process."),
    "timeout": 10,
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.required(
    "REDIS_URL",
    example="redis://localhost:6379/0",
    doc="Redis: Celery's broker, the request budget, live updates and the cache. `redis://`, `rediss://` (TLS with a "
    "checked certificate) or `unix://`. If empty, `manage.py` starts the embedded server while it runs.",
)

# Celery. The database holds the work and the broker only wakes workers, so losing the broker loses nothing. Redelivered
# tasks may run twice. visibility_timeout exceeds the longest task (Smartcar takes up to 310 s to answer a v3 command).
CELERY_BROKER_URL = environment.celery_broker_url(REDIS_URL)
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
COMMAND_WORKER_THREADS = env.integer(
    "COMMAND_WORKER_THREADS",
    default=48,
    doc="Threads of the worker that sends commands: the number of vehicles it can wait for simultaneously.",
    old_name="COMMAND_THREADS",
)
# Bulk commands take at most this many of those threads, so that single commands never wait behind slow vehicles.
BULK_COMMAND_CONCURRENCY = max(1, COMMAND_WORKER_THREADS * 2 // 3)
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE

env.section("Email")
_email_url = env.text(
    "EMAIL_URL",
    default="consolemail://" if DEBUG or DEMO else "",
    shown="none",
    example="smtp+tls://user:password@mail.example.com:587",
    doc="The mail server. Without one, managers copy invitation links by hand and forgotten passwords can't be reset. "
    "A demo shows emails at `/demo/emails/` instead.",
)
EMAIL_ENABLED = bool(_email_url)
globals().update(environ.Env.email_url_config(_email_url or "dummymail://"))
if DEMO and DEMO_EMAIL_FOLDER and _email_url == "consolemail://":
    EMAIL_BACKEND = "demo.emails.folder.FolderBackend"
# Seconds per step of the SMTP conversation.
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.text(
    "DEFAULT_FROM_EMAIL",
    default=f"fleet@{urlsplit(SITE_URL).hostname}",
    shown="`fleet@` the host of `SITE_URL`",
    doc="The sender's address.",
)

# Users
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "accounts:sign_in"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
_VALIDATORS = ("UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}Validator"} for name in _VALIDATORS
]

# Sign-in is django-allauth's. Users can't sign up on their own: members are invited (accounts/members). Failed attempts
# are limited by allauth's defaults and counted in the cache.
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
# Additional limits; allauth's own stay. A driver who lost the link requests it again (connect.driver_portal).
ACCOUNT_RATE_LIMITS = {"driver_link": "10/h/ip,3/h/key"}
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
# Accepts codes from a phone whose clock is up to half a minute off.
MFA_TOTP_TOLERANCE = 1
# Users can set up a second factor while a change of their address is pending.
MFA_ALLOW_UNVERIFIED_EMAIL = True

# The API (docs/api.md). Calls are counted in Redis; while Redis is down, each process counts its own.
env.section("API")
CACHES = {
    "default": {
        "BACKEND": "core.cache.FallbackRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
}
API_RATE_LIMIT = env.integer(
    "API_RATE_LIMIT",
    default=600,
    doc="API calls that one user can make per minute.",
    old_name="API_READS_PER_MINUTE",
)
API_COMMAND_RATE_LIMIT = env.integer(
    "API_COMMAND_RATE_LIMIT",
    default=60,
    doc="Commands that one user can send or cancel through the API per minute.",
    old_name="API_COMMANDS_PER_MINUTE",
)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api.throttles.ReadThrottle"],
    # Callers without an account are counted by address, which a client can't choose: it is the last that proxies add.
    "NUM_PROXIES": ALLAUTH_TRUSTED_PROXY_COUNT,
    "DEFAULT_THROTTLE_RATES": {
        "reads": f"{API_RATE_LIMIT}/minute",
        "commands": f"{API_COMMAND_RATE_LIMIT}/minute",
    },
    "DEFAULT_RENDERER_CLASSES": ["core.api.renderers.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.JsonParser"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.Schema",
    "EXCEPTION_HANDLER": "core.api.exceptions.handle",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = api_description.SPECTACULAR_SETTINGS

# Languages of pages and emails, for members (fleet.middleware.UserLocaleMiddleware) and drivers
# (connect/driver_language.py).
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français")]
LOCALE_PATHS = [BASE_DIR / "var" / "locale"]
FORMAT_MODULE_PATH = ["core.formats"]
TIME_ZONE = "UTC"
USE_TZ = True

env.section("Static files")
STATIC_URL = "static/"
STATIC_ROOT = env.text(
    "STATIC_ROOT",
    default=str(BASE_DIR / "var" / "static"),
    shown="`var/static`",
    doc="Where `collectstatic` puts the files that the site serves.",
)
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "core.staticfiles.NodePackagesFinder",
]
STATIC_HASHED = env.boolean(
    "STATIC_HASHED",
    default=True,
    doc="Serve static files under the hashed names that `collectstatic` creates. Tests turn it off.",
)
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

env.section("Map")
MAP_STYLE_URL = env.text(
    "MAP_STYLE_URL",
    example="https://tiles.example.com/style.json",
    doc="A MapLibre style for the map. Without one, the map is an outline that needs no network.",
)
_map_style_origin = [f"{(u := urlsplit(MAP_STYLE_URL)).scheme}://{u.netloc}"] if MAP_STYLE_URL else []
_map_origins = _map_style_origin + env.items(
    "MAP_ORIGINS", default=[], doc="Other origins that the map style loads tiles, fonts or sprites from."
)
# One strict policy for every page. MapLibre starts its worker from a blob.
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
if not DEBUG and _HTTPS:
    SECURE_SSL_REDIRECT = _REDIRECT_TO_HTTPS
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = _HSTS_SECONDS
    # The site can't know whether other hosts of its domain use https, too.
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
CSRF_FAILURE_VIEW = "fleet.csrf.failure"
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# Also the limit of all bodies but webhooks' (fleet/body_limit.py).
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
# One field for each vehicle selected for a bulk command.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 6000

env.section("Webhooks")
WEBHOOK_RETENTION_DAYS = env.integer(
    "WEBHOOK_RETENTION_DAYS",
    default=30,
    doc="Days for which the webhook log stores the content of processed deliveries.",
    old_name="INBOX_DAYS",
)
WEBHOOK_QUARANTINE_RETENTION_DAYS = env.integer(
    "WEBHOOK_QUARANTINE_RETENTION_DAYS",
    default=180,
    doc="Days for which the webhook log stores quarantined and undeliverable deliveries.",
    old_name="INBOX_ASIDE_DAYS",
)

env.section("Smartcar")
SMARTCAR_APPLICATION_ID = env.text(
    "SMARTCAR_APPLICATION_ID",
    doc="Application ID, a UUID: Connect and v2 tokens. "
    "[Which credential is which](smartcar-application.md#credentials).",
)
SMARTCAR_APPLICATION_SECRET = env.text("SMARTCAR_APPLICATION_SECRET", doc="Its secret: v2 tokens.")
SMARTCAR_CLIENT_ID = env.text(
    "SMARTCAR_CLIENT_ID", doc="Client ID of the API credentials, usually starting with `client_`: v3 tokens."
)
SMARTCAR_CLIENT_SECRET = env.text("SMARTCAR_CLIENT_SECRET", doc="Their client secret: v3 tokens.")
SMARTCAR_MANAGEMENT_TOKENS = env.items(
    "SMARTCAR_MANAGEMENT_TOKENS",
    default=[],
    doc="Application management tokens. Deliveries signed with any of them are accepted: list two to rotate.",
)
SMARTCAR_WEBHOOK_ID = env.text("SMARTCAR_WEBHOOK_ID", doc="The webhook that vehicles subscribe to.")
SMARTCAR_API_VERSION = env.text(
    "SMARTCAR_API_VERSION",
    default="v3",
    doc="Smartcar API version of new fleets: `v2` or `v3`. Smartcar has announced the end of v2 for 2026-12-01.",
    old_name="SMARTCAR_GENERATION",
)
SMARTCAR_V2_OFFERED = env.boolean(
    "SMARTCAR_V2_OFFERED",
    default=True,
    doc="Whether fleets can use v2. If false, pages mention v2 only to fleets that still have vehicles on v2.",
)
SMARTCAR_MODE = env.text(
    "SMARTCAR_MODE", default="live", doc="`live`, or `simulated` for vehicles of Smartcar's own simulator."
)
SMARTCAR_VIRTUAL_KEY_URL = env.text(
    "SMARTCAR_VIRTUAL_KEY_URL",
    default="https://www.tesla.com/_ak/smartcar.com",
    doc="Where drivers add the virtual key to a Tesla. Change it only if Smartcar set up a key with your own name.",
)
SMARTCAR_REQUEST_BUCKET = env.integer(
    "SMARTCAR_REQUEST_BUCKET",
    default=120,
    doc="Requests that Smartcar allows an application in a burst; 0 means no limit. "
    "Request a higher limit from Smartcar before you raise this one.",
)
SMARTCAR_REQUEST_REFILL = env.number(
    "SMARTCAR_REQUEST_REFILL", default=2, doc="Requests regained per minute."
)
SMARTCAR_MONTHLY_LIMIT = env.integer(
    "SMARTCAR_MONTHLY_LIMIT",
    default=500,
    doc="API calls per vehicle and month in your Smartcar plan; 0 means no limit. A fleet can set its own.",
    old_name="SMARTCAR_MONTHLY_ALLOWANCE",
)

env.section("Smartcar's addresses")
# Where Smartcar's SDK reads an environment variable for an address, the setting has the same name.


def _origin(name: str, address: str, use: str) -> str:
    return env.text(f"SMARTCAR_{name}_ORIGIN", default=address, doc=f"{use}. Change it only for a simulator.")


SMARTCAR_ORIGINS = {
    "connect": _origin("CONNECT", "https://connect.smartcar.com", "Smartcar Connect"),
    "auth": _origin("AUTH", "https://auth.smartcar.com/oauth/token", "v2 tokens"),
    "api": _origin("API", "https://api.smartcar.com", "v2 vehicles"),
    "management": _origin("MANAGEMENT_API", "https://management.smartcar.com", "v2 management"),
    "iam": _origin("IAM", "https://iam.smartcar.com", "v3 tokens"),
    "vehicle": _origin("VEHICLE_API_V3", "https://vehicle.api.smartcar.com", "v3 vehicles"),
    "management_v3": _origin("MANAGEMENT_API_V3", "https://management.api.smartcar.com", "v3 management"),
    "compatibility": _origin("COMPATIBILITY", "https://compatibility.api.smartcar.com", "Compatibility API"),
}

LOGGING = log_format.configuration(level=LOG_LEVEL)
