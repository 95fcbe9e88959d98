"""A stand-in for Callcap: the documented endpoints over an inventory of its own, with faults on demand."""
