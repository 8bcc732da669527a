from django.apps import AppConfig


class ConnectConfig(AppConfig):
    name = "connect"

    def ready(self) -> None:
        from connect import emails, stored_messages  # noqa: F401  (whatever process shows a row has to know its sentences)

        emails.register_emails()
