"""What only Smartcar's v2 needs: token pairs of drivers, their refresh, and the migration between the API versions.

Smartcar has announced the end of v2 for 2026-12-01. This package, smartcar_api/v2 and the v2 modules of
webhooks/parsing are removed together on the day when it is switched off.
"""
