"""The API of commands: asking cars, following what becomes of it, taking back what was not sent."""
