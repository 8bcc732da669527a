"""Whether a report of a state has failed since its last value, in the snapshots of vehicles.

The version before doesn't write these columns. They are correct again after the next change of the vehicle's signals.
"""

from django.db import migrations, models

_FAILED = """
    UPDATE vehicles_summary AS summary
    SET charging_failed = row.charging, locked_failed = row.locked, speed_failed = row.speed
    FROM (
        SELECT vehicle_id, bool_or(code = 'charge-ischarging') AS charging,
               bool_or(code = 'closure-islocked') AS locked, bool_or(code = 'motion-currentspeed') AS speed
        FROM vehicles_latestsignal
        WHERE body IS NOT NULL AND status <> 'SUCCESS'
              AND code IN ('charge-ischarging', 'closure-islocked', 'motion-currentspeed')
        GROUP BY vehicle_id
    ) AS row
    WHERE summary.vehicle_id = row.vehicle_id
"""


class Migration(migrations.Migration):
    dependencies = [("vehicles", "0013_catalogue_numbers")]

    operations = [
        *(
            migrations.AddField(
                model_name="vehiclesnapshot",
                name=f"{state}_failed",
                field=models.BooleanField(db_default=False, default=False),
            )
            for state in ("charging", "locked", "speed")
        ),
        migrations.RunSQL(_FAILED, migrations.RunSQL.noop),
    ]
