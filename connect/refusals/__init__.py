"""Grants that drivers gave in Connect although we had to refuse the authorization, and how they are ended."""
