"""Rendering: terminal, HTML, notebook and page draw what explaining and checking return."""
