"""Training of populations: all seeds, or a grid of recipes, of one network in one call."""
