from django.apps import AppConfig


class ConnectConfig(AppConfig):
    name = "connect"

    def ready(self) -> None:
        from alerts import detectors
        from connect import alert_detectors, emails

        emails.register_emails()
        detectors.register(alert_detectors.detect_connections)
        detectors.register(alert_detectors.detect_expiring_tokens)
        detectors.register(alert_detectors.detect_batteries)
