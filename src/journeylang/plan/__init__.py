"""The execution plan: where runs rest, and the way from each rest to the next."""
