from django.apps import AppConfig


class ConnectConfig(AppConfig):
    name = "connect"

    def ready(self) -> None:
        from connect import emails

        emails.register_emails()
