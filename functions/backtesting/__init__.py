"""The backtesting service."""
