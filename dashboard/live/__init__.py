"""Open pages kept current: a stream of server-sent events tells each what of it is new (docs/architecture.md)."""
