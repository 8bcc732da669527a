from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from allauth.account.signals import authentication_step_completed
        from django.contrib.auth.signals import user_logged_in

        from accounts import emails, reauthentication
        from accounts.members import emails as member_emails

        emails.register_emails()
        member_emails.register_emails()
        user_logged_in.connect(reauthentication.on_login, dispatch_uid="confirmation")
        authentication_step_completed.connect(
            reauthentication.on_reauthentication, dispatch_uid="confirmation"
        )


class StaffAdminConfig(AdminConfig):
    """The admin, with this project's site."""

    default_site = "accounts.admin_site.StaffSite"
