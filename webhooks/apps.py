from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"

    def ready(self) -> None:
        from webhooks import erasure, stored_messages  # noqa: F401  (whatever process shows a note has to know it)

        erasure.register()
