"""Fields get the names of the glossary. Their columns keep the names they have, so the database does not change."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_api_version")]

    operations = [
        migrations.AlterField(
            model_name="fleet",
            name="readings_kept_months",
            field=models.PositiveSmallIntegerField(
                db_column="readings_kept_months",
                default=24,
                help_text="From 1 to 120. Older readings are permanently deleted within an hour.",
                validators=[MinValueValidator(1), MaxValueValidator(120)],
                verbose_name="keep raw readings for (months)",
            ),
        ),
        migrations.RenameField(
            model_name="fleet", old_name="readings_kept_months", new_name="raw_retention_months"
        ),
        migrations.AlterField(
            model_name="fleet",
            name="rollups_kept_months",
            field=models.PositiveSmallIntegerField(
                db_column="rollups_kept_months",
                default=60,
                help_text="From 1 to 120. Older summaries are permanently deleted within an hour.",
                validators=[MinValueValidator(1), MaxValueValidator(120)],
                verbose_name="keep hourly and daily summaries for (months)",
            ),
        ),
        migrations.RenameField(
            model_name="fleet", old_name="rollups_kept_months", new_name="rollup_retention_months"
        ),
        migrations.AlterField(
            model_name="memberinvitation",
            name="made_by",
            field=models.ForeignKey(
                db_column="made_by_id",
                null=True,
                on_delete=models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RenameField(model_name="memberinvitation", old_name="made_by", new_name="created_by"),
    ]
