"""An erasure is finished only when a search of every table finds nothing more."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connect", "0026_driver_time_zone")]

    operations = [
        migrations.AddField(
            model_name="offboardingrequest",
            name="search_terms",
            field=models.BinaryField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="offboardingrequest",
            name="searched_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
