"""Statistics: pure functions of sums."""
