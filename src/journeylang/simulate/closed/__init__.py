"""A dry run of a journey without coupling: whole lives at once, instead of hour by hour."""
