from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connect", "0009_comparison")]

    operations = [
        migrations.AddField(
            model_name="generationmove",
            name="surveyed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="connectionmove",
            name="state",
            field=models.CharField(
                choices=[
                    ("waiting", "Waiting"),
                    ("subscribing", "Subscription under way"),
                    ("subscribed", "Listed and subscribed"),
                    ("moved", "Moved"),
                    ("stayed", "Could not move"),
                ],
                default="waiting",
                max_length=12,
            ),
        ),
    ]
