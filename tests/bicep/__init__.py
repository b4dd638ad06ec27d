"""Bicep without its compiler: read by pycep-parser's grammar, checked, and deployed on paper."""
