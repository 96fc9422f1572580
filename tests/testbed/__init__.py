"""A Docker engine for tests on machines where no container registry answers.

It starts its own Docker engine and builds stand-in images under the official references: with the real servers
where a package registry has them, with stubs (label `arcctl.standin=stub`) elsewhere.
"""
