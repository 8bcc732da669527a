"""Load for benchmarks: signed deliveries at a steady rate, made and sent by a separate process."""
