"""Frozen types, enumerations and units that every room shares; no behaviour."""
