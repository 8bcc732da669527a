from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Installed for its management commands and system checks. Has no models."""

    name = "demo"

    def ready(self) -> None:
        from demo import checks as checks
