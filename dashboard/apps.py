from django.apps import AppConfig


class DashboardConfig(AppConfig):
    """Pages that show several apps. The label is the app's first name, which its table and migrations carry."""

    name = "dashboard"
    label = "fleet"
