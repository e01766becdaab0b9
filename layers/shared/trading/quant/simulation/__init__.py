"""Backtests as numbers: the market's columns, scores, fills, and what a run came to."""
