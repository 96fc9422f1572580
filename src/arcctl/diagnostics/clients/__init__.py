"""Collects facts for the rules, and parts of a support bundle."""
