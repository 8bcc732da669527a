"""One row per car for lists and maps, filled from what was last heard of each."""

import django.db.models.deletion
from django.db import migrations, models

_FILL = """
    INSERT INTO vehicles_summary (vehicle_id, charge, charge_at, range_km, charging, charging_at, fuel, fuel_at, fuel_range_km, locked, locked_at, latitude, longitude, heading, place_at, speed, speed_at, odometer_km, odometer_at)
    SELECT car.id, max((body->>'value')::float8) FILTER (WHERE code = 'tractionbattery-stateofcharge' AND body IS NOT NULL),
           max(observed_at) FILTER (WHERE code = 'tractionbattery-stateofcharge' AND body IS NOT NULL),
           max((body->>'value')::float8) FILTER (WHERE code = 'tractionbattery-range' AND body IS NOT NULL),
           bool_or((body->>'value')::boolean) FILTER (WHERE code = 'charge-ischarging' AND body IS NOT NULL),
           max(observed_at) FILTER (WHERE code = 'charge-ischarging' AND body IS NOT NULL),
           max((body->>'value')::float8) FILTER (WHERE code = 'internalcombustionengine-fuellevel' AND body IS NOT NULL),
           max(observed_at) FILTER (WHERE code = 'internalcombustionengine-fuellevel' AND body IS NOT NULL),
           max((body->>'value')::float8) FILTER (WHERE code = 'internalcombustionengine-range' AND body IS NOT NULL),
           bool_or((body->>'value')::boolean) FILTER (WHERE code = 'closure-islocked' AND body IS NOT NULL),
           max(observed_at) FILTER (WHERE code = 'closure-islocked' AND body IS NOT NULL),
           max((body->>'latitude')::float8) FILTER (WHERE code = 'location-preciselocation' AND body IS NOT NULL),
           max((body->>'longitude')::float8) FILTER (WHERE code = 'location-preciselocation' AND body IS NOT NULL),
           max((body->>'heading')::float8) FILTER (WHERE code = 'location-preciselocation' AND body IS NOT NULL),
           max(observed_at) FILTER (WHERE code = 'location-preciselocation' AND body IS NOT NULL),
           max((body->>'value')::float8) FILTER (WHERE code = 'motion-currentspeed' AND body IS NOT NULL),
           max(observed_at) FILTER (WHERE code = 'motion-currentspeed' AND body IS NOT NULL),
           max((body->>'value')::float8) FILTER (WHERE code = 'odometer-traveleddistance' AND body IS NOT NULL),
           max(observed_at) FILTER (WHERE code = 'odometer-traveleddistance' AND body IS NOT NULL)
    FROM vehicles_vehicle AS car
    LEFT JOIN vehicles_latestsignal AS signal ON signal.vehicle_id = car.id AND signal.code IN ('charge-ischarging', 'closure-islocked', 'internalcombustionengine-fuellevel', 'internalcombustionengine-range', 'location-preciselocation', 'motion-currentspeed', 'odometer-traveleddistance', 'tractionbattery-range', 'tractionbattery-stateofcharge')
    GROUP BY car.id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("vehicles", "0004_vehicle_settings"),
    ]

    operations = [
        migrations.CreateModel(
            name="Summary",
            fields=[
                (
                    "vehicle",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="summary",
                        serialize=False,
                        to="vehicles.vehicle",
                    ),
                ),
                ("charge", models.FloatField(null=True, verbose_name="state of charge")),
                ("charge_at", models.DateTimeField(null=True)),
                ("range_km", models.FloatField(null=True, verbose_name="range")),
                ("charging", models.BooleanField(null=True)),
                ("charging_at", models.DateTimeField(null=True)),
                ("fuel", models.FloatField(null=True, verbose_name="fuel level")),
                ("fuel_at", models.DateTimeField(null=True)),
                ("fuel_range_km", models.FloatField(null=True, verbose_name="fuel range")),
                ("locked", models.BooleanField(null=True)),
                ("locked_at", models.DateTimeField(null=True)),
                ("latitude", models.FloatField(null=True)),
                ("longitude", models.FloatField(null=True)),
                ("heading", models.FloatField(null=True)),
                ("place_at", models.DateTimeField(null=True)),
                ("speed", models.FloatField(null=True)),
                ("speed_at", models.DateTimeField(null=True)),
                ("odometer_km", models.FloatField(null=True, verbose_name="odometer")),
                ("odometer_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name_plural": "summaries",
            },
        ),
        # Rewritten with every delivery, like the latest signals: room for the new row beside the old one.
        migrations.RunSQL("ALTER TABLE vehicles_summary SET (fillfactor = 50)", migrations.RunSQL.noop),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
    ]
