from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("vehicles", "0009_note_codes"),
    ]

    operations = [
        migrations.AddField(
            model_name="vehicle",
            name="name_entered",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
    ]
