"""The admin's pages of users, members, tokens, invitations, the audit log and outgoing emails."""

from accounts.admin import emails, lists, memberships, users

__all__ = ["emails", "lists", "memberships", "users"]
