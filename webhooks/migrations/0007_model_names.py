"""Models get the names of the glossary. Their tables keep the names they have, so the database does not change."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0006_errors_by_start")]

    operations = [
        migrations.AlterModelTable(name="refuseddeliveries", table="webhooks_refuseddeliveries"),
        migrations.RenameModel(old_name="RefusedDeliveries", new_name="RejectedDeliveryCount"),
        migrations.AlterModelTable(name="rhythm", table="webhooks_rhythm"),
        migrations.RenameModel(old_name="Rhythm", new_name="DeliveryCadence"),
    ]
