"""The catalogue: dropping a file here adds a world."""
