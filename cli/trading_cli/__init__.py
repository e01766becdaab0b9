"""The command-line tool: runs, inspects and demonstrates the trading platform."""
