"""Scripts as games and films keep them, one module for each format."""
