from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_addresses")]

    operations = [
        migrations.AddField(
            model_name="fleet",
            name="onboarding",
            field=models.CharField(
                blank=True,
                choices=[("", "New"), ("open", "Open"), ("over", "Over")],
                editable=False,
                max_length=4,
            ),
        ),
    ]
