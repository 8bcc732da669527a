from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """The Django project itself. It registers the system checks and has no models."""

    name = "fleet"
    label = "project"

    def ready(self) -> None:
        from fleet import checks  # noqa: F401  (registers the system checks)
