"""How many selected vehicles a bulk command left out, by reason. Unknown for earlier ones."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("commands", "0011_requested_by_account")]

    operations = [
        migrations.AddField(
            model_name="bulkcommand", name="skipped", field=models.JSONField(blank=True, null=True)
        ),
    ]
