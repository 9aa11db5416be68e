"""The lunch guide (Mittagspausenführer): what shops serve at noon, day by day."""
