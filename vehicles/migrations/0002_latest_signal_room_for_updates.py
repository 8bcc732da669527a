"""A car's signals are rewritten together with every delivery: their pages keep room for the new rows, and no index
is touched. The key has the vehicle first, so an index on the vehicle alone has no use."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("vehicles", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="latestsignal",
            name="vehicle",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="latest_signals",
                to="vehicles.vehicle",
            ),
        ),
        migrations.RunSQL(
            "ALTER TABLE vehicles_latestsignal SET (fillfactor = 50)",
            "ALTER TABLE vehicles_latestsignal RESET (fillfactor)",
        ),
    ]
