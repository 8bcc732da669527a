"""Benchmarks: `python -m bench [NAME ...] [--quick]`, or `make bench ARGS="receive --quick"`.

A bench is a module of this folder with `def run(*, quick: bool) -> Result` (bench/results.py). Each runs in a process
of its own, so it may set the environment before Django reads it; bench/stack.py starts what most of them stand on.
A comparison is made within one run on the same machine, in alternating rounds, since machines and hours differ.
Load goes to the loopback address only.
"""
