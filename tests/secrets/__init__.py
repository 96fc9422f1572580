"""Tests of the package `secrets`."""
