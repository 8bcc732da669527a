from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connect", "0010_generation_survey")]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="language",
            field=models.CharField(blank=True, default="", max_length=10),
        ),
        migrations.AddField(
            model_name="driverpage",
            name="language",
            field=models.CharField(blank=True, default="", max_length=10),
        ),
    ]
