"""Composition root of the line process: configuration → drivers → core → runtime."""
