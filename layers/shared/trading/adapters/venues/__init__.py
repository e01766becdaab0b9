"""Venues, one file each; their libraries are imported only when a venue is used."""
