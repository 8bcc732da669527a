"""Live updates of open pages through a stream of server-sent events (docs/how-it-works.md)."""
