"""Sessions (Termine): the dates on which an offer takes place; scheduled, moved, changed, cancelled."""
