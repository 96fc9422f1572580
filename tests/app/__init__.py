"""The use-cases on a toy platform, with fakes at the seams."""
