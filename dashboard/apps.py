from django.apps import AppConfig


class DashboardConfig(AppConfig):
    """Pages that combine several apps. The label is the app's former name, which its table and migrations use."""

    name = "dashboard"
    label = "fleet"

    def ready(self) -> None:
        from alerts import notification_badge
        from dashboard import erasure
        from dashboard.vehicle_list import selectors

        erasure.register()
        notification_badge.register(selectors.count_attention)
