"""Searching a strategy's parameters, and how far the best of many trials can be believed."""
