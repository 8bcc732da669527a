"""Messages become codes with parameters; Smartcar's own words get a column of their own.

The columns that hold texts stay for the version before, with defaults.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("commands", "0006_api_version")]

    operations = [
        operation
        for model, text in (("command", "message"), ("commandevent", "detail"))
        for operation in (
            migrations.AddField(
                model, "message_code", models.CharField(blank=True, db_default="", default="", max_length=80)
            ),
            migrations.AddField(
                model, "message_params", models.JSONField(blank=True, db_default={}, default=dict)
            ),
            migrations.AddField(
                model,
                "smartcar_message",
                models.CharField(blank=True, db_default="", default="", max_length=500),
            ),
            migrations.AlterField(model, text, models.CharField(blank=True, db_default="", max_length=300)),
        )
    ]
