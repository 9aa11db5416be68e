"""HSDS: what is public, as a service directory in the Human Services Data Specification 3.1 of Open Referral."""
