"""Plain, frozen data that every layer shares; imports nothing but the standard library."""
