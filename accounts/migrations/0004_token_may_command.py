from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_history_kept")]

    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="may_command",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
