"""Models get the names of the glossary. Their tables keep the names they have, so the database does not change."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("commands", "0004_bulk")]

    operations = [
        migrations.AlterModelTable(name="change", table="commands_change"),
        migrations.RenameModel(old_name="Change", new_name="CommandEvent"),
    ]
