"""A service as small as can be, made of everything servicekit offers; its tests speak to it."""
