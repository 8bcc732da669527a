from django.apps import AppConfig


class DashboardConfig(AppConfig):
    """Pages that combine several apps. The label is the app's former name, which its table and migrations use."""

    name = "dashboard"
    label = "fleet"

    def ready(self) -> None:
        from dashboard import erasure

        erasure.register()
