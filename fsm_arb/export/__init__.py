"""A journal for others to read: tables for spreadsheets and notebooks, traces for whoever looks at systems."""
