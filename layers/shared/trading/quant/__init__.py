"""Numeric analysis: strategies and statistics. Floats live here and only here."""
