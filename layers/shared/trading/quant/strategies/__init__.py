"""Strategies: one file each, found through the entry point group ``trading.strategies``."""
