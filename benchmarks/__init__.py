"""Comparisons with stated data, machine and seed; the package never imports them."""
