"""Formats of dates and times per language, where they differ from Django's."""
