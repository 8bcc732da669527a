"""Numbers the catalogue's codes ahead, and records which fleet was first to report any other code.

The version before inserts codes without a fleet, and finds the catalogue's.
"""

import django.db.models.deletion
from django.db import migrations, models

from vehicles.catalogue import CATALOGUE

# Numbers below 0 are free, even if the sequence, which all fleets share, is used up.
_NUMBER = """
    INSERT INTO vehicles_signalcode (id, code)
    SELECT (SELECT least(min(id), 0) FROM vehicles_signalcode) - row_number() OVER (ORDER BY code), code
    FROM unnest(%s::text[]) AS catalogue (code)
    WHERE NOT EXISTS (SELECT FROM vehicles_signalcode AS known WHERE known.code = catalogue.code)
    ON CONFLICT (code) DO NOTHING
"""


def number(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_NUMBER, [sorted(CATALOGUE)])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0017_labels"), ("vehicles", "0012_name_entered")]

    operations = [
        migrations.AddField(
            model_name="signalcode",
            name="fleet",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="accounts.fleet",
            ),
        ),
        migrations.RunPython(number, migrations.RunPython.noop),
    ]
