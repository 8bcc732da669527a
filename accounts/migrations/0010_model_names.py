"""Models get the names of the glossary. Their tables keep the names they have, so the database does not change."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_audit_by_target")]

    operations = [
        migrations.AlterModelTable(name="auditentry", table="accounts_auditentry"),
        migrations.RenameModel(old_name="AuditEntry", new_name="AuditLogEntry"),
    ]
