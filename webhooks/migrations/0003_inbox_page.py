from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0002_receiver")]

    operations = [
        migrations.RemoveIndex(model_name="inboxentry", name="webhooks_of_a_vehicle"),
        migrations.AddIndex(
            model_name="inboxentry",
            index=models.Index(
                condition=models.Q(("smartcar_vehicle_id", ""), _negated=True),
                fields=["smartcar_vehicle_id", "received_at"],
                name="webhooks_of_a_vehicle_by_time",
            ),
        ),
        migrations.AddIndex(
            model_name="inboxentry",
            index=models.Index(
                condition=models.Q(("state__in", ["waiting", "processed"]), _negated=True),
                fields=["state", "id"],
                name="webhooks_set_aside",
            ),
        ),
    ]
