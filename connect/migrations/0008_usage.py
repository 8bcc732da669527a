import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("connect", "0007_removal"),
        ("vehicles", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="FleetAllowance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "calls",
                    models.PositiveIntegerField(
                        validators=[django.core.validators.MaxValueValidator(1000000)]
                    ),
                ),
                (
                    "fleet",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="request_allowance",
                        to="accounts.fleet",
                    ),
                ),
            ],
            options={"verbose_name": "fleet's request allowance"},
        ),
        migrations.CreateModel(
            name="VehicleUsage",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "vehicle",
                        "month",
                        "purpose",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("month", models.DateField()),
                ("purpose", models.CharField(max_length=10)),
                ("calls", models.PositiveIntegerField()),
                (
                    "vehicle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="usage",
                        to="vehicles.vehicle",
                    ),
                ),
            ],
        ),
    ]
