import django.core.validators
from django.db import migrations, models

_MONTHS = [django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(120)]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_api_token")]

    operations = [
        migrations.AddField(
            model_name="fleet",
            name="readings_kept_months",
            field=models.PositiveSmallIntegerField(
                default=24,
                validators=_MONTHS,
                verbose_name="readings kept for",
                help_text="Whole months for which every single value of the cars' history is kept, from 1 to 120. Fewer: older ones are deleted within the hour.",
            ),
        ),
        migrations.AddField(
            model_name="fleet",
            name="rollups_kept_months",
            field=models.PositiveSmallIntegerField(
                default=60,
                validators=_MONTHS,
                verbose_name="hours and days kept for",
                help_text="Whole months for which the summaries by hour and by day are kept, from 1 to 120. Fewer: older ones are deleted within the hour.",
            ),
        ),
    ]
