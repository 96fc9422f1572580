"""Tests of the package `custom`."""
