"""Code that only Smartcar's v2 needs: drivers' token pairs, their refresh, and the migration between API versions.

Smartcar has announced the end of v2 for 2026-12-01. When v2 is switched off, this package will be removed together
with smartcar_api/v2 and the v2 modules of webhooks/parsing.
"""
