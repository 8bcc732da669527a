"""Benchmarks: `python -m bench [NAME ...] [--quick]`, or `make bench ARGS="receive --quick"`.

A benchmark is a module of this folder with `def run(*, quick: bool) -> Result` (bench/results.py). Each runs in its own
process, so it may set the environment before Django reads it; bench/stack.py starts the servers that most of them need.
Comparisons are made within one run on the same machine, in alternating rounds, since machines and their load differ.
Load goes only to the loopback address.
"""
