from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from allauth.account.signals import authentication_step_completed
        from django.contrib.auth.signals import user_logged_in

        from accounts import confirmation

        user_logged_in.connect(confirmation.signed_in, dispatch_uid="confirmation")
        authentication_step_completed.connect(confirmation.asked_again, dispatch_uid="confirmation")
