"""Measures how right the trips are: detection and two other libraries against drives whose truth is known."""
