"""DynamoDB: one file per aggregate on top of ``store``; key strings are made in ``keys`` only."""
