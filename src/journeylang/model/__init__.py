"""What a project means: types, binding, expressions, policies, journeys."""
