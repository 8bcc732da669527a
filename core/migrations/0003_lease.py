from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0002_labels"),
    ]

    operations = [
        migrations.CreateModel(
            name="Lease",
            fields=[
                ("name", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("holder", models.UUIDField()),
                ("expires_at", models.DateTimeField()),
            ],
        ),
    ]
