"""The checks of `page.py`, by what they look at."""
