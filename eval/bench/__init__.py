"""What `dosuite bench` times."""
