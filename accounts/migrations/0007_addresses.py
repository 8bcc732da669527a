from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def take_over(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Addresses are in small letters from now on, and those of the people who are there count as theirs."""
    user_model = apps.get_model("accounts", "User")
    address_model = apps.get_model("account", "EmailAddress")
    known = set(user_model.objects.values_list("email", flat=True))
    for user in user_model.objects.order_by("pk").iterator():
        email = user.email.lower()
        if email != user.email and email not in known:
            user.email = email
            user.save(update_fields=["email"])
        address_model.objects.get_or_create(
            user=user, email=user.email, defaults={"verified": True, "primary": True}
        )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_sign_in"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]

    operations = [migrations.RunPython(take_over, migrations.RunPython.noop, elidable=True)]
