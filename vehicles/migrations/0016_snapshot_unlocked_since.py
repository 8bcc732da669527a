"""Since when a vehicle has been reported as unlocked. Unknown for vehicles that were unlocked before the migration."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("vehicles", "0015_received_at")]

    operations = [
        migrations.AddField(
            model_name="vehiclesnapshot", name="unlocked_since", field=models.DateTimeField(null=True)
        ),
    ]
