"""When the last report of a signal was received. Rows of the version before, which doesn't write it, have none."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("vehicles", "0014_snapshot_failures")]

    operations = [
        migrations.AddField(
            model_name="latestsignal", name="received_at", field=models.DateTimeField(null=True)
        ),
    ]
