"""Settings: one module for all places, which differ by what `surroundings` finds."""

from shop import surroundings

BASE_DIR = surroundings.APP
VERSION = surroundings.version()
DEBUG = not VERSION

_host = surroundings.host_settings()
_secrets = surroundings.secrets()

SECRET_KEY = _secrets.get("SECRET_KEY", "only-for-developing-" + "x" * 40)
ALLOWED_HOSTS = _host.get("allowed_hosts", [])
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "shop",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["shop.context.shop"]},
    }
]
DATABASES = {"default": surroundings.database(_secrets.get("DATABASE_URL", ""))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": surroundings.cache(_host.get("redis", ""), _secrets.get("REDIS_PASSWORD", ""))}
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = surroundings.RELEASE / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}
MEDIA_URL = "/media/"
MEDIA_ROOT = BASE_DIR / "media"
