"""Tests of the package `render`."""
