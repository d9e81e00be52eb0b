"""Figures beside their floors and peers, by ``make bench``: no tests, a slow machine fails nothing."""
