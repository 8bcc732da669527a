"""What later values of a signal are judged by. A new column with a default in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("vehicles", "0009_note_codes")]

    operations = [
        migrations.AddField(
            model_name="latestsignal",
            name="memory",
            field=models.JSONField(db_default={}, default=dict),
        ),
    ]
