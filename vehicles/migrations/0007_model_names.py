"""Models get the names of the glossary. Their tables keep the names they have, so the database does not change."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("vehicles", "0006_places")]

    operations = [
        migrations.AlterModelTable(name="duehour", table="vehicles_duehour"),
        migrations.RenameModel(old_name="DueHour", new_name="DirtyHour"),
        migrations.AlterModelTable(name="dueday", table="vehicles_dueday"),
        migrations.RenameModel(old_name="DueDay", new_name="DirtyDay"),
        migrations.AlterModelTable(name="summary", table="vehicles_summary"),
        migrations.RenameModel(old_name="Summary", new_name="VehicleSnapshot"),
    ]
