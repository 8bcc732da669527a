from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"

    def ready(self) -> None:
        from webhooks import forgetting, kept  # noqa: F401  (whatever process shows a note has to know it)

        forgetting.offer()
