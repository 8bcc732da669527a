"""The commands API: sending, following and canceling commands."""
