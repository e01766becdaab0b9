"""What the platform does, one verb per file, on ports only."""
