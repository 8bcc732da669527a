from django.apps import AppConfig


class CommandsConfig(AppConfig):
    name = "commands"

    def ready(self) -> None:
        from commands import cancellation, erasure

        erasure.register()
        cancellation.register()
