from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Has no models: it is installed for its management command."""

    name = "demo"
