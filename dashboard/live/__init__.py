"""Live updates of open pages through a stream of server-sent events (docs/architecture.md)."""
