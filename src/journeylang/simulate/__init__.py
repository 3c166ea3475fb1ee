"""Dry runs: the compiled plan over the real customers, under a virtual clock; nothing is sent."""
