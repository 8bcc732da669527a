"""Models get the names of the glossary. Their tables keep the names they have, so the database does not change."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("connect", "0012_milestones")]

    operations = [
        migrations.AlterModelTable(name="generationmove", table="connect_generationmove"),
        migrations.RenameModel(old_name="GenerationMove", new_name="ApiMigration"),
        migrations.AlterModelTable(name="connectionmove", table="connect_connectionmove"),
        migrations.RenameModel(old_name="ConnectionMove", new_name="ConnectionMigration"),
        migrations.AlterModelTable(name="reachedmilestone", table="connect_reachedmilestone"),
        migrations.RenameModel(old_name="ReachedMilestone", new_name="SetupEvent"),
        migrations.AlterModelTable(name="driverpage", table="connect_driverpage"),
        migrations.RenameModel(old_name="DriverPage", new_name="DriverPortal"),
        migrations.AlterModelTable(name="placepause", table="connect_placepause"),
        migrations.RenameModel(old_name="PlacePause", new_name="LocationPause"),
        migrations.AlterModelTable(name="workinghours", table="connect_workinghours"),
        migrations.RenameModel(old_name="WorkingHours", new_name="TrackingSchedule"),
        migrations.AlterModelTable(name="ownertokens", table="connect_ownertokens"),
        migrations.RenameModel(old_name="OwnerTokens", new_name="UserToken"),
        migrations.AlterModelTable(name="applicationtokens", table="connect_applicationtokens"),
        migrations.RenameModel(old_name="ApplicationTokens", new_name="ApplicationToken"),
        migrations.AlterModelTable(name="removal", table="connect_removal"),
        migrations.RenameModel(old_name="Removal", new_name="OffboardingRequest"),
        migrations.AlterModelTable(name="removedgrant", table="connect_removedgrant"),
        migrations.RenameModel(old_name="RemovedGrant", new_name="GrantRevocation"),
        migrations.AlterModelTable(name="erasedrows", table="connect_erasedrows"),
        migrations.RenameModel(old_name="ErasedRows", new_name="ErasureRecord"),
        migrations.AlterModelTable(name="comparison", table="connect_comparison"),
        migrations.RenameModel(old_name="Comparison", new_name="Reconciliation"),
        migrations.AlterModelTable(name="comparedfleet", table="connect_comparedfleet"),
        migrations.RenameModel(old_name="ComparedFleet", new_name="FleetReconciliation"),
        migrations.AlterModelTable(name="drift", table="connect_drift"),
        migrations.RenameModel(old_name="Drift", new_name="Discrepancy"),
        migrations.AlterModelTable(name="suspicion", table="connect_suspicion"),
        migrations.RenameModel(old_name="Suspicion", new_name="PendingIssue"),
    ]
