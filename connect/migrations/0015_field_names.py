"""Fields get the names of the glossary. Their columns keep the names they have, so the database does not change."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connect", "0014_api_version")]

    operations = [
        migrations.AlterField(
            model_name="invitation",
            name="made_by",
            field=models.ForeignKey(
                db_column="made_by_id",
                null=True,
                on_delete=models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RenameField(model_name="invitation", old_name="made_by", new_name="created_by"),
    ]
