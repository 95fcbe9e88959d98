"""The sandbox as a Django application."""

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    """Models and templates of the sandbox."""

    name = "sandbox"
    default_auto_field = "django.db.models.BigAutoField"
