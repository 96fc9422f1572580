"""Carries out probes and smoke tests."""
