"""Renames fields of offboardings and reconciliations. Their columns keep their names, so the database doesn't change."""

import django.db.models.deletion
from django.db import migrations, models


def _key(
    to: str, *, db_column: str | None = None, related_name: str, optional: bool = False
) -> models.ForeignKey:
    return models.ForeignKey(
        to,
        on_delete=django.db.models.deletion.CASCADE,
        db_column=db_column,
        related_name=related_name,
        null=optional,
        blank=optional,
    )


class Migration(migrations.Migration):
    dependencies = [("connect", "0020_labels")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint("grantrevocation", "connect_removed_grant_once"),
                migrations.RemoveConstraint("erasurerecord", "connect_erased_kind_once"),
                migrations.RemoveConstraint("fleetreconciliation", "connect_compared_once"),
                migrations.RenameField("grantrevocation", "removal", "offboarding"),
                migrations.RenameField("erasurerecord", "removal", "offboarding"),
                migrations.RenameField("fleetreconciliation", "comparison", "reconciliation"),
                migrations.RenameField("discrepancy", "comparison", "reconciliation"),
                migrations.RenameField("discrepancy", "healed", "repaired"),
                migrations.AlterField(
                    "offboardingrequest", "fleet", _key("accounts.fleet", related_name="offboardings")
                ),
                migrations.AlterField(
                    "offboardingrequest", "vehicle", _key("vehicles.vehicle", related_name="offboardings")
                ),
                migrations.AlterField(
                    "offboardingrequest",
                    "connection",
                    _key("connect.connection", related_name="offboardings", optional=True),
                ),
                migrations.AlterField(
                    "grantrevocation",
                    "offboarding",
                    _key("connect.offboardingrequest", db_column="removal_id", related_name="grants"),
                ),
                migrations.AlterField(
                    "erasurerecord",
                    "offboarding",
                    _key("connect.offboardingrequest", db_column="removal_id", related_name="erased"),
                ),
                migrations.AlterField(
                    "fleetreconciliation",
                    "reconciliation",
                    _key("connect.reconciliation", db_column="comparison_id", related_name="fleets"),
                ),
                migrations.AlterField(
                    "fleetreconciliation", "fleet", _key("accounts.fleet", related_name="reconciliations")
                ),
                migrations.AlterField(
                    "discrepancy",
                    "reconciliation",
                    _key("connect.reconciliation", db_column="comparison_id", related_name="discrepancies"),
                ),
                migrations.AlterField(
                    "discrepancy",
                    "connection",
                    _key("connect.connection", related_name="discrepancies", optional=True),
                ),
                migrations.AlterField(
                    "discrepancy", "repaired", models.BooleanField(default=False, db_column="healed")
                ),
                migrations.AddConstraint(
                    "grantrevocation",
                    models.UniqueConstraint(
                        fields=["offboarding", "connection"], name="connect_removed_grant_once"
                    ),
                ),
                migrations.AddConstraint(
                    "erasurerecord",
                    models.UniqueConstraint(fields=["offboarding", "kind"], name="connect_erased_kind_once"),
                ),
                migrations.AddConstraint(
                    "fleetreconciliation",
                    models.UniqueConstraint(fields=["reconciliation", "fleet"], name="connect_compared_once"),
                ),
            ]
        )
    ]
