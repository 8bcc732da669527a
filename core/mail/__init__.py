"""Outgoing email: one table, one sender.

An app queues an email within its own transaction as a row that names a kind and an object. The sender renders the text
when it sends, so bodies and links with tokens are never stored.
"""
