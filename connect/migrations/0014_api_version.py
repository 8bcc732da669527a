"""The field is named `api_version`. Its column keeps its name, so the database does not change."""

from django.db import migrations, models

VERSIONS = [("v2", "v2 (a token pair per driver)"), ("v3", "v3 (one application token)")]


class Migration(migrations.Migration):
    dependencies = [("connect", "0013_model_names")]

    operations = [
        # The constraint is on the same columns as before: only its field has another name.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint(model_name="reconciliation", name="connect_one_comparison")
            ]
        ),
        migrations.AlterField(
            model_name="authorizationrequest",
            name="generation",
            field=models.CharField(db_column="generation", choices=VERSIONS, max_length=2),
        ),
        migrations.RenameField(
            model_name="authorizationrequest", old_name="generation", new_name="api_version"
        ),
        migrations.AlterField(
            model_name="connection",
            name="generation",
            field=models.CharField(db_column="generation", choices=VERSIONS, max_length=2),
        ),
        migrations.RenameField(model_name="connection", old_name="generation", new_name="api_version"),
        migrations.AlterField(
            model_name="apimigration",
            name="generation",
            field=models.CharField(db_column="generation", choices=VERSIONS, max_length=2),
        ),
        migrations.RenameField(model_name="apimigration", old_name="generation", new_name="api_version"),
        migrations.AlterField(
            model_name="reconciliation",
            name="generation",
            field=models.CharField(db_column="generation", choices=VERSIONS, max_length=2),
        ),
        migrations.RenameField(model_name="reconciliation", old_name="generation", new_name="api_version"),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddConstraint(
                    model_name="reconciliation",
                    constraint=models.UniqueConstraint(
                        condition=models.Q(("outcome", "running")),
                        fields=("application", "api_version"),
                        name="connect_one_comparison",
                        nulls_distinct=False,
                    ),
                )
            ]
        ),
    ]
