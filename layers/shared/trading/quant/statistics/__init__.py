"""Figures over series, one file per kind."""
