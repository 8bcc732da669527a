"""Working hours keep their time zone when the fleet changes its own."""

from django.db import migrations, models

_SET_ZONES = """
    UPDATE connect_workinghours AS hours SET time_zone = fleet.time_zone
    FROM connect_connection AS connection, accounts_fleet AS fleet
    WHERE connection.id = hours.connection_id AND fleet.id = connection.fleet_id AND hours.time_zone = ''
"""


class Migration(migrations.Migration):
    dependencies = [("connect", "0029_driver_page_links")]

    operations = [
        migrations.AddField(
            model_name="trackingschedule",
            name="time_zone",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.RunSQL(_SET_ZONES, migrations.RunSQL.noop),
    ]
