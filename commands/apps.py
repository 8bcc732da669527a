from django.apps import AppConfig


class CommandsConfig(AppConfig):
    name = "commands"

    def ready(self) -> None:
        from commands import cancellation, driver_history, erasure
        from commands.scheduled import services as scheduled

        erasure.register()
        cancellation.register()
        driver_history.register()
        scheduled.register()
