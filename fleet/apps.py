from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """The Django project itself: registers the system checks. It has no models."""

    name = "fleet"
    label = "project"

    def ready(self) -> None:
        from fleet import checks  # noqa: F401  (registers the system checks)
