"""The fuel of vehicles that report liters and no level, and the tank's capacity. Snapshots get it with the next value."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("vehicles", "0010_latest_signal_memory")]

    operations = [
        migrations.AddField(
            model_name="vehicle",
            name="tank_liters",
            field=models.FloatField(
                blank=True,
                null=True,
                validators=[MinValueValidator(1), MaxValueValidator(2000)],
                verbose_name="tank capacity",
            ),
        ),
        migrations.AddField(
            model_name="vehiclesnapshot",
            name="fuel_liters",
            field=models.FloatField(null=True, verbose_name="fuel remaining"),
        ),
        migrations.AddField(
            model_name="vehiclesnapshot",
            name="fuel_liters_at",
            field=models.DateTimeField(null=True),
        ),
    ]
