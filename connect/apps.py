from django.apps import AppConfig


class ConnectConfig(AppConfig):
    name = "connect"

    def ready(self) -> None:
        from alerts import detectors
        from connect import alert_detectors, emails
        from connect.driver_portal import privacy
        from vehicles import location_privacy

        emails.register_emails()
        location_privacy.register(privacy.load_rules)
        detectors.register(alert_detectors.detect_connections)
        detectors.register(alert_detectors.detect_expiring_tokens)
        detectors.register(alert_detectors.detect_batteries)
