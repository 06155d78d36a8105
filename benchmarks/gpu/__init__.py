"""The whole check of a GPU in one call: is it right there, how fast, and where does the time go?"""
