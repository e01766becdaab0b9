"""What every HTTP service shares: application, errors, callers, repeats, health, metrics."""
