"""Versions of a project on a database: what an apply would do, saved plans, what was applied."""
