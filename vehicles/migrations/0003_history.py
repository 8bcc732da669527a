"""History in partitions by month, numbers as numbers, and its summaries by hour and by day.

What was recorded moves into the new table. It is summed up by beat afterwards.
"""

import django.db.models.deletion
from django.db import migrations, models

from vehicles.catalogue import CATALOGUE, Shape

_TABLES = """
    CREATE TABLE vehicles_reading (
        vehicle_id bigint NOT NULL,
        observed_at timestamptz NOT NULL,
        value double precision,
        signal_id smallint NOT NULL,
        rest jsonb,
        CONSTRAINT vehicles_reading_by_month PRIMARY KEY (vehicle_id, signal_id, observed_at)
    ) PARTITION BY RANGE (observed_at);

    CREATE TABLE vehicles_hourrollup (
        vehicle_id bigint NOT NULL,
        start timestamptz NOT NULL,
        mean double precision NOT NULL,
        minimum double precision NOT NULL,
        maximum double precision NOT NULL,
        minimum_at timestamptz NOT NULL,
        maximum_at timestamptz NOT NULL,
        first double precision NOT NULL,
        last double precision NOT NULL,
        count integer NOT NULL,
        signal_id smallint NOT NULL,
        PRIMARY KEY (vehicle_id, signal_id, start)
    ) PARTITION BY RANGE (start);

    CREATE TABLE vehicles_dayrollup (
        LIKE vehicles_hourrollup,
        PRIMARY KEY (vehicle_id, signal_id, start)
    ) PARTITION BY RANGE (start);

    -- Last month, this month and the next three; beat makes the others, also for what the default ones caught.
    DO $$
    DECLARE
        parent text;
        month timestamptz;
    BEGIN
        FOREACH parent IN ARRAY ARRAY['vehicles_reading', 'vehicles_hourrollup', 'vehicles_dayrollup'] LOOP
            EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', parent || '_stray', parent);
            FOR ahead IN -1..3 LOOP
                month := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead))
                    AT TIME ZONE 'UTC';
                EXECUTE format(
                    'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                    parent || to_char(month AT TIME ZONE 'UTC', '_YYYY_MM'),
                    parent,
                    month,
                    (month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC'
                );
            END LOOP;
        END LOOP;
    END $$;
"""
_NAME_CODES = """
    INSERT INTO vehicles_signalcode (code) SELECT DISTINCT code FROM vehicles_reading_before ORDER BY code
"""
# A number signal's body is left out where value and unit are all there is in it.
_MOVE = """
    INSERT INTO vehicles_reading (vehicle_id, observed_at, value, signal_id, rest)
    SELECT row.vehicle_id, row.observed_at,
           CASE WHEN number THEN (row.body ->> 'value')::double precision END,
           named.id,
           CASE WHEN NOT number OR row.body - 'value' - 'unit' <> '{}' THEN row.body END
    FROM vehicles_reading_before AS row
    JOIN vehicles_signalcode AS named ON named.code = row.code
    CROSS JOIN LATERAL (
        SELECT row.code = ANY(%s) AND coalesce(jsonb_typeof(row.body -> 'value') = 'number', false) AS number
    ) AS kind
"""
_TO_SUM_UP = """
    INSERT INTO vehicles_duehour (vehicle_id, signal_id, start)
    SELECT DISTINCT vehicle_id, signal_id, date_trunc('hour', observed_at, 'UTC')
    FROM vehicles_reading WHERE value IS NOT NULL
"""


def move(apps, schema_editor):
    numbers = [code for code, signal in CATALOGUE.items() if signal.shape is Shape.NUMBER]
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_NAME_CODES)
        cursor.execute(_MOVE, [numbers])
        cursor.execute(_TO_SUM_UP)


def _vehicle(related_name="+"):
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.CASCADE,
        related_name=related_name,
        to="vehicles.vehicle",
    )


def _signal():
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="vehicles.signalcode",
    )


def _key(*names):
    return models.CompositePrimaryKey(*names, blank=True, editable=False, primary_key=True, serialize=False)


def _rollup(name):
    return migrations.CreateModel(
        name=name,
        fields=[
            ("pk", _key("vehicle_id", "signal_id", "start")),
            ("vehicle", _vehicle()),
            ("start", models.DateTimeField()),
            ("mean", models.FloatField()),
            ("minimum", models.FloatField()),
            ("maximum", models.FloatField()),
            ("minimum_at", models.DateTimeField()),
            ("maximum_at", models.DateTimeField()),
            ("first", models.FloatField()),
            ("last", models.FloatField()),
            ("count", models.IntegerField()),
            ("signal", _signal()),
        ],
        options={"abstract": False},
    )


def _due(name):
    return migrations.CreateModel(
        name=name,
        fields=[
            ("pk", _key("vehicle_id", "signal_id", "start")),
            ("vehicle", _vehicle()),
            ("start", models.DateTimeField()),
            ("signal", _signal()),
        ],
        options={
            "abstract": False,
            "indexes": [models.Index(fields=["start"], name=f"vehicles_{name.lower()}_start")],
        },
    )


class Migration(migrations.Migration):
    dependencies = [("vehicles", "0002_latest_signal_room_for_updates")]

    operations = [
        migrations.CreateModel(
            name="SignalCode",
            fields=[
                ("id", models.SmallAutoField(primary_key=True, serialize=False)),
                ("code", models.CharField(max_length=100, unique=True)),
            ],
        ),
        _due("DueHour"),
        _due("DueDay"),
        migrations.CreateModel(
            name="DayZone",
            fields=[
                (
                    "vehicle",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="vehicles.vehicle",
                    ),
                ),
                ("time_zone", models.CharField(max_length=64)),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL("ALTER TABLE vehicles_reading RENAME TO vehicles_reading_before"),
                migrations.RunSQL(_TABLES),
                migrations.RunPython(move),
                migrations.RunSQL("DROP TABLE vehicles_reading_before"),
            ],
            state_operations=[
                migrations.DeleteModel("Reading"),
                migrations.CreateModel(
                    name="Reading",
                    fields=[
                        ("pk", _key("vehicle_id", "signal_id", "observed_at")),
                        ("vehicle", _vehicle("readings")),
                        ("observed_at", models.DateTimeField()),
                        ("value", models.FloatField(null=True)),
                        ("signal", _signal()),
                        ("rest", models.JSONField(null=True)),
                    ],
                ),
                _rollup("HourRollup"),
                _rollup("DayRollup"),
            ],
        ),
    ]
