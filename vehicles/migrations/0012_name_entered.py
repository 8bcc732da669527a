from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("vehicles", "0011_snapshot_fuel_liters"),
    ]

    operations = [
        migrations.AddField(
            model_name="vehicle",
            name="name_entered",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
    ]
