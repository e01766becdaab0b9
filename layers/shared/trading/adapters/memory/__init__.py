"""Everything that use cases work with, in memory: for backtests, which run the very use cases."""
