"""The audit log is looked up by object. The old columns are dropped in a later release, when no old version runs."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0014_audit_codes")]

    operations = [
        migrations.RemoveIndex("auditlogentry", "accounts_audit_about"),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField("auditlogentry", "action"),
                migrations.RemoveField("auditlogentry", "target"),
            ]
        ),
        migrations.AddIndex(
            "auditlogentry",
            models.Index(fields=["fleet", "object_type", "object_id", "-at"], name="accounts_audit_object"),
        ),
        migrations.AlterModelOptions(
            "auditlogentry",
            options={
                "ordering": ["-at", "-id"],
                "verbose_name": "audit log entry",
                "verbose_name_plural": "audit log",
            },
        ),
    ]
