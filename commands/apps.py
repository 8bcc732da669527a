from django.apps import AppConfig


class CommandsConfig(AppConfig):
    name = "commands"

    def ready(self) -> None:
        from commands import cancellation, driver_history, erasure

        erasure.register()
        cancellation.register()
        driver_history.register()
