"""Ticks: whole audiences, step by step, set by set."""
