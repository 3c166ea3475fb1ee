"""What journeys have brought: figures that SQL sums, with their uncertainty."""
