"""The check of X-TRADING-API-KEY that API Gateway asks for."""
