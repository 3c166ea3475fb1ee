"""Databases that a program runs in."""
