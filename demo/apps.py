from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Installed for its management commands. Has no models."""

    name = "demo"
