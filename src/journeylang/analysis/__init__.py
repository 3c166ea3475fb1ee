"""What a project means, and what is wrong with it: from syntax trees to the model."""
