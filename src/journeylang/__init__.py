"""Customer journeys as text, compiled to set-based SQL over the tables that are already there."""

__version__ = "0.1.0"
