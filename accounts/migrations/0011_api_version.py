"""The field is named `api_version`. Its column keeps its name, so the database does not change."""

from django.db import migrations, models

VERSIONS = [("v2", "v2 (a token pair per driver)"), ("v3", "v3 (one application token)")]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_model_names")]

    operations = [
        migrations.AlterField(
            model_name="fleet",
            name="generation",
            field=models.CharField(db_column="generation", choices=VERSIONS, max_length=2, default="v3"),
        ),
        migrations.RenameField(model_name="fleet", old_name="generation", new_name="api_version"),
    ]
