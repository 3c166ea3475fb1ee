"""A dry run of a journey without coupling: whole lives at once, step by step instead of hour by hour."""
