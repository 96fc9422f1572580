"""Speaks. Parses, wires, calls, renders, exits."""
