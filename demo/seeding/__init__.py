"""Fills a new demo with life: people, names, places, two months of history, commands and alerts.

Everything is chosen by a generator with a fixed seed, relative to the time of the start. Values of vehicles come from
the simulator only, so they agree with what the vehicles report from then on.
"""
