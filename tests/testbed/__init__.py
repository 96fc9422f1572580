"""A test bed for machines where no container registry answers.

It brings up a Docker engine of its own and fills it with stand-in images under the official references: real
servers wherever a package registry has them, and contract doubles (labelled `arcctl.standin=double`) elsewhere.
"""
