"""Tests of the package `images`."""
