"""Risk: limits, one class per rule, and the engine that runs them all."""
