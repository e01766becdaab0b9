"""API keys: their format, their scopes, how one is issued. Importable without pydantic."""
