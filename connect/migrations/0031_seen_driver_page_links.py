"""Links of driver pages that managers have created count as seen by them."""

from django.db import migrations

# Until now, a manager who renewed a link has always seen it.
_MARK_RENEWED = """
    UPDATE connect_driverpage AS page SET shown_to_manager = true, link_created_by_id = entry.actor_id
    FROM accounts_auditentry AS entry
    WHERE entry.event = 'driver.portal_renewed' AND entry.object_type = 'driver_portal'
        AND entry.object_id = page.id::text AND entry.fleet_id = page.fleet_id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("connect", "0030_working_hours_zone"),
        ("accounts", "0018_tokens_of_former_members"),
    ]

    operations = [migrations.RunSQL(_MARK_RENEWED, migrations.RunSQL.noop)]
